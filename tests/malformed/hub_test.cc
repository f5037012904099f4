// Malformed Hugging Face folders, opened in this process: under ASan and UBSan too.
#include <unistd.h>

#include "base/utf8.h"
#include "formats/checkpoint.h"
#include "malformed/hub_cases.h"

namespace baleen::test {
namespace {

void expect_refused(const Result<Checkpoint>& result, const std::string& what, const std::string& named) {
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().kind, ErrorKind::bad_input) << what;
  EXPECT_THAT(result.error().message, testing::HasSubstr(named)) << what;
  EXPECT_TRUE(is_utf8(result.error().message)) << what;
  EXPECT_LT(result.error().message.size(), 2048U) << what;
}

TEST(MalformedHubFolder, EachCaseIsRefusedByName) {
  const TemporaryFolder folder;
  const auto cases = all_hub_cases();
  EXPECT_GE(cases.size(), 300U);
  RecordProperty("cases", static_cast<int>(cases.size()));
  for (const MalformedFolder& each : cases)
    expect_refused(Checkpoint::open(write_folder(folder, each.files)), each.what, each.named);
}

TEST(MalformedHubFolder, CutAtAnyByteIsRefused) {
  const TemporaryFolder folder;
  const Files files = TinyHub::llama().sharded();
  const auto path = write_folder(folder, files);
  ASSERT_TRUE(Checkpoint::open(path));
  for (const auto& [name, bytes] : files) {
    const size_t header = name.ends_with(".safetensors") ? bytes.rfind('}') : bytes.size();
    for (size_t size = bytes.size(); size-- > 0;) {
      if (size > header && size % 13 != 0) continue;  // inside the data one byte is like the next
      ASSERT_EQ(::truncate((path / name).c_str(), static_cast<off_t>(size)), 0);
      expect_refused(Checkpoint::open(path), name + " cut at " + std::to_string(size), name);
    }
    write_folder(folder, files);
  }
}

}  // namespace
}  // namespace baleen::test
