#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

namespace baleen {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "baleen-map-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

  fs::path folder_;
};

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST_F(MappedFileTest, ShowsTheBytes) {
  auto file = MappedFile::open(write("a", "hello"));
  ASSERT_TRUE(file);
  EXPECT_EQ(text_of(*file), "hello");
  MappedFile moved = std::move(*file);
  EXPECT_EQ(text_of(moved), "hello");
  EXPECT_TRUE(file->bytes().empty());
  auto other = MappedFile::open(write("b", "other"));
  ASSERT_TRUE(other);
  moved = std::move(*other);
  EXPECT_EQ(text_of(moved), "other");
}

TEST_F(MappedFileTest, MapsAnEmptyFileToNothing) {
  auto file = MappedFile::open(write("empty", ""));
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, FollowsSymbolicLinks) {
  fs::create_symlink(write("blob", "weights"), folder_ / "link");
  auto file = MappedFile::open(folder_ / "link");
  ASSERT_TRUE(file);
  EXPECT_EQ(text_of(*file), "weights");
}

TEST_F(MappedFileTest, RefusesWhatIsNoRegularFile) {
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const fs::path& path :
       {folder_, fifo, folder_ / "missing", fs::path("/dev/zero"), fs::path("/dev/null")}) {
    auto file = MappedFile::open(path);  // must not wait for a writer of the FIFO
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(file.error().message, testing::StartsWith(path.string() + ": "));
  }
}

TEST_F(MappedFileTest, ReleasedPagesReadTheSameAgain) {
  const std::string content(size_t{1} << 16, 'x');
  auto file = MappedFile::open(write("big", content));
  ASSERT_TRUE(file);
  EXPECT_EQ(text_of(*file), content);
  file->release(file->bytes());
  file->release(file->bytes().subspan(100, 50));
  file->release({});
  EXPECT_EQ(text_of(*file), content);
}

TEST_F(MappedFileTest, TruncationWhileInUseEndsWithOneLine) {
  const fs::path path = write("shrinks", std::string(size_t{1} << 16, 'x'));
  EXPECT_EXIT(
      {
        report_lost_mappings();
        auto file = MappedFile::open(path);
        fs::resize_file(path, 0);
        std::exit(static_cast<int>(file->bytes()[1 << 15]));
      },
      testing::ExitedWithCode(3), "^error: a model file became unreadable");
}

}  // namespace
}  // namespace baleen
