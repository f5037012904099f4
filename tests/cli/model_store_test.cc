#include "cli/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace baleen {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ModelStore : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "baleen-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    ::setenv("BALEEN_HOME", home_.c_str(), 1);
    fs::create_directories(home_ / "models");
  }
  void TearDown() override {
    ::unsetenv("BALEEN_HOME");
    fs::remove_all(home_);
  }

  fs::path add(const std::string& name, size_t bytes) {
    const fs::path path = home_ / "models" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << std::string(bytes, 'x');
    return path;
  }

  fs::path home_;
};

TEST_F(ModelStore, ListsFilesFoldersAndSplitFiles) {
  add("small.gguf", 10);
  add("big-00001-of-00002.gguf", 100);
  add("big-00002-of-00002.gguf", 50);
  add("headless-00002-of-00002.gguf", 5);
  add("repo/config.json", 2);
  add("repo/model.safetensors", 7);
  add("no-model/readme.md", 3);
  add("half.gguf.part", 1);
  const auto models = stored_models();
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 3u);
  EXPECT_EQ((*models)[0].name, "big");
  EXPECT_EQ((*models)[0].bytes, 150u);
  EXPECT_EQ((*models)[0].path, home_ / "models/big-00001-of-00002.gguf");
  EXPECT_EQ((*models)[1].name, "repo");
  EXPECT_EQ((*models)[1].bytes, 9u);
  EXPECT_EQ((*models)[1].path, home_ / "models/repo");
  EXPECT_EQ((*models)[2].name, "small");
}

TEST_F(ModelStore, FindsByPathThenByName) {
  const fs::path small = add("small.gguf", 10);
  const fs::path folder = add("repo/config.json", 2).parent_path();
  EXPECT_EQ(find_model("small").value(), small);
  EXPECT_EQ(find_model("small.gguf").value(), small);
  EXPECT_EQ(find_model(small.string()).value(), small);
  EXPECT_EQ(find_model("repo").value(), folder);
  const auto missing = find_model("smaller");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(missing.error().message, HasSubstr("smaller: no such file"));
}

TEST_F(ModelStore, FindsTheDefaultModel) {
  const auto missing = find_model("");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("baleen pull default"));
  const fs::path file = add(std::string(kDefaultModel) + ".gguf", 10);
  EXPECT_EQ(find_model("").value(), file);
  EXPECT_EQ(find_model("default").value(), file);
}

TEST_F(ModelStore, IsEmptyWithoutAFolder) {
  fs::remove_all(home_ / "models");
  EXPECT_TRUE(stored_models().value().empty());
}

TEST(ModelStoreFolder, DependsOnTheEnvironmentAlone) {
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  ::unsetenv("BALEEN_HOME");
  ::setenv("HOME", "/somewhere", 1);
  EXPECT_EQ(model_folder().value(), "/somewhere/.local/share/baleen/models");
  ::unsetenv("HOME");
  EXPECT_FALSE(model_folder());
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace baleen
