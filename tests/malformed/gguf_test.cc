// Malformed GGUF files, opened in this process: under ASan and UBSan too.
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "base/utf8.h"
#include "formats/checkpoint.h"
#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

/// bad_input that names the field and a byte.
void expect_refused(const Result<Checkpoint>& result, const std::string& what, const std::string& named) {
  ASSERT_FALSE(result) << what;
  const std::string& message = result.error().message;
  EXPECT_EQ(result.error().kind, ErrorKind::bad_input) << what;
  EXPECT_THAT(message, testing::HasSubstr(named)) << what;
  EXPECT_THAT(message, testing::HasSubstr("byte ")) << what;
  EXPECT_TRUE(is_utf8(message)) << what;
  EXPECT_LT(message.size(), 2048U) << what;
}

TEST(MalformedGguf, EachCaseIsRefusedByName) {
  const TemporaryFolder folder;
  const auto cases = all_gguf_cases();
  EXPECT_GE(cases.size(), 300U);
  RecordProperty("cases", static_cast<int>(cases.size()));
  for (const MalformedCase& each : cases)
    expect_refused(Checkpoint::open(folder.write("model.gguf", each.bytes)), each.what, each.named);
}

TEST(MalformedGguf, CutAtAnyByteIsRefused) {
  const TemporaryFolder folder;
  for (const TinyGguf& file : {TinyGguf::llama(), TinyGguf::llama_sentencepiece()}) {
    const std::string bytes = file.to_bytes();
    const auto path = folder.write("model.gguf", bytes);
    ASSERT_TRUE(Checkpoint::open(path));
    const size_t data = bytes.find("blk.1.ffn_down.weight") + 64;
    for (size_t size = bytes.size(); size-- > 0;) {
      if (size > data && size % 13 != 0) continue;  // inside the data one byte is like the next
      ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(size)), 0);
      expect_refused(Checkpoint::open(path), "cut at " + std::to_string(size), "byte");
    }
  }
}

TEST(MalformedGguf, ChangedBytesNeverDoHarm) {
  const TemporaryFolder folder;
  const std::string bytes = TinyGguf::llama().to_bytes();
  const size_t header = bytes.find("blk.1.ffn_down.weight") + 64;
  std::mt19937 random(1);
  const auto below = [&](size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
  };
  constexpr unsigned char kInteresting[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0x08, 0x09};
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string changed = bytes;
    for (size_t i = 0; i <= below(3); ++i)
      changed[below(header)] = static_cast<char>(below(2) == 0 ? kInteresting[below(7)] : below(256));
    const auto result = Checkpoint::open(folder.write("model.gguf", changed));
    if (result) continue;  // the change made another valid file
    ++refused;
    expect_refused(result, "round " + std::to_string(round), "byte");
  }
  EXPECT_GT(refused, 400);
}

TEST(MalformedGguf, WhatIsNoFileIsRefused) {
  const TemporaryFolder folder;
  const auto fifo = folder.path() / "fifo.gguf";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::filesystem::create_directory(folder.path() / "folder.gguf");
  std::filesystem::create_symlink("loop.gguf", folder.path() / "loop.gguf");
  std::filesystem::create_symlink("nowhere", folder.path() / "broken.gguf");
  for (const char* name : {"fifo.gguf", "folder.gguf", "loop.gguf", "broken.gguf", "absent.gguf"}) {
    const auto result = Checkpoint::open(folder.path() / name);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().kind, ErrorKind::bad_input) << name;
    EXPECT_THAT(result.error().message, testing::HasSubstr(name));
  }
}

}  // namespace
}  // namespace baleen::test
