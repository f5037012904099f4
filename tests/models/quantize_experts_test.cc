// Folders of models with experts and latents as GGUF files: the references' logits, and the bits of the folder itself.
#include <cstring>
#include <fstream>
#include <tuple>

#include "golden.h"
#include "gtest/gtest.h"
#include "quantized.h"

namespace baleen {
namespace {

using test::TemporaryFolder;

constexpr const char* kModels[] = {"deepseek-v2-lite", "deepseek-v2",   "deepseek-v3",
                                   "deepseek-v3-fp8",  "deepseek-v3.2", "qwen3-moe"};

std::string test_name(std::string name) {
  for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
  return name;
}

std::vector<float> logits(const std::filesystem::path& path, const LoadOptions& options = {}) {
  const test::TestModel loaded = test::load(path, best_isa(), 2, options);
  if (loaded.model == nullptr) return {};
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 60; ++i) ids.push_back(i * 7 % 320);
  return test::logits_of(*loaded.model, KvType::f32, ids);
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  ASSERT_FALSE(a.empty());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0);
}

/// What golden_test.cc asks of every float model.
void expect_reference(const std::filesystem::path& path, const std::string& name) {
  const test::TestModel loaded = test::load(path, best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  const test::Golden golden = test::read_golden(name);
  test::expect_reference_logits(*loaded.model, golden);
  test::expect_reference_tokens(*loaded.model, golden);
}

class Experts : public testing::TestWithParam<const char*> {};

TEST_P(Experts, GiveTheReferencesLogitsFromGguf) {
  const TemporaryFolder folder;
  expect_reference(test::quantized(test::golden_folder() / GetParam(), BlockType::f32, folder), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Models, Experts, testing::ValuesIn(kModels),
                         [](const auto& each) { return test_name(each.param); });

class OlderFiles : public testing::TestWithParam<const char*> {};

TEST_P(OlderFiles, WithKeysAndValuesInOneTensor) {
  const TemporaryFolder folder;
  const auto path = test::in_older_form(
      test::quantized(test::golden_folder() / GetParam(), BlockType::f32, folder), folder);
  const auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  EXPECT_NE(checkpoint->find("blk.0.attn_kv_b.weight"), nullptr);
  EXPECT_EQ(checkpoint->find("blk.0.attn_k_b.weight"), nullptr);
  expect_reference(path, GetParam());
}

TEST_P(OlderFiles, AreEncodedWhileLoadingAsNewerOnes) {
  const TemporaryFolder folder;
  const auto newer = test::quantized(test::golden_folder() / GetParam(), BlockType::f32, folder);
  const auto older = test::in_older_form(newer, folder);
  const LoadOptions q8_0{.weights = BlockType::q8_0};
  expect_same_bits(logits(older, q8_0), logits(newer, q8_0));
  // A quantised attn_kv_b stays what it is: its keys are not encoded a second time.
  const auto encoded = test::quantized(older, BlockType::q8_0, folder);
  expect_same_bits(logits(encoded), logits(encoded, {.weights = BlockType::q4_0}));
}

INSTANTIATE_TEST_SUITE_P(Models, OlderFiles,
                         testing::Values("deepseek-v2-lite", "deepseek-v2", "deepseek-v3"),
                         [](const auto& each) { return test_name(each.param); });

class Encoded : public testing::TestWithParam<std::tuple<const char*, BlockType>> {};

TEST_P(Encoded, FileAndFolderGiveTheSameBits) {
  const auto& [name, type] = GetParam();
  const TemporaryFolder folder;
  const auto path = test::golden_folder() / name;
  const auto file = logits(test::quantized(path, type, folder));
  expect_same_bits(file, logits(path, {.weights = type}));
  if (type != BlockType::f32 && type != BlockType::bf16) {
    EXPECT_NE(file, logits(path));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Encoded,
                         testing::Combine(testing::ValuesIn(kModels),
                                          testing::Values(BlockType::f32, BlockType::bf16, BlockType::q8_0,
                                                          BlockType::q4_0, BlockType::q4_k)),
                         [](const auto& each) {
                           return test_name(std::get<0>(each.param)) + "_" +
                                  std::string(baleen::info(std::get<1>(each.param)).name);
                         });

/// The folder with rope_interleave false: rows that turn are taken for halves.
std::filesystem::path in_halves(const std::filesystem::path& from, const TemporaryFolder& parent) {
  const auto folder = parent.path() / "halves";
  std::filesystem::create_directory(folder);
  std::filesystem::copy(from / "model.safetensors", folder);
  std::ifstream in(from / "config.json");
  const std::string config{std::istreambuf_iterator<char>(in), {}};
  std::ofstream(folder / "config.json") << R"({"rope_interleave": false,)" << config.substr(1);
  return folder;
}

class PairsOfRope : public testing::TestWithParam<const char*> {};

/// Sums run over the dimensions in another order.
TEST_P(PairsOfRope, BecomeNeighbours) {
  const TemporaryFolder parent;
  const auto folder = in_halves(test::golden_folder() / GetParam(), parent);
  const auto ours = logits(test::quantized(folder, BlockType::f32, parent)), expected = logits(folder);
  const test::Difference difference = test::compare(ours, expected, 320);
  EXPECT_LE(difference.max, 5e-4);
  EXPECT_LE(difference.mean, 5e-5);
  EXPECT_GT(test::compare(expected, logits(test::golden_folder() / GetParam()), 320).mean, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Models, PairsOfRope,
                         testing::Values("deepseek-v2-lite", "deepseek-v3-fp8", "deepseek-v3.2"),
                         [](const auto& each) { return test_name(each.param); });

}  // namespace
}  // namespace baleen
