// Folders and GGUF files written anew: what GGUF files of the same models say, and what llama.cpp's names hold.
#include "models/quantize.h"

#include <cstring>

#include "formats/gguf_export.h"
#include "formats/tiny_gguf.h"
#include "golden.h"
#include "gtest/gtest.h"

namespace baleen {
namespace {

/// A folder as a GGUF file without a vocabulary.
std::filesystem::path written(const std::filesystem::path& in, BlockType type,
                              const test::TemporaryFolder& folder) {
  const auto out = folder.path() / "out.gguf";
  ThreadPool pool(2);
  auto checkpoint = Checkpoint::open(in);
  EXPECT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  GgufWriter writer;
  const auto params = add_gguf_params(*checkpoint, writer);
  EXPECT_TRUE(params.has_value()) << params.error().message;
  EXPECT_TRUE(add_gguf_vocabulary(Vocabulary(), "", writer).has_value());
  const auto done = quantize({*checkpoint, type}, writer, out, pool);
  EXPECT_TRUE(done.has_value()) << done.error().message;
  return out;
}

std::vector<float> logits(const std::filesystem::path& path) {
  const test::TestModel loaded = test::load(path, best_isa(), 2);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 100; ++i) ids.push_back(i * 7 % 320);
  return test::logits_of(*loaded.model, KvType::f32, ids);
}

class Folders : public testing::TestWithParam<const char*> {};

/// The files under gguf/ were made by llama.cpp's converter: the same rows in the same order give the same bits.
TEST_P(Folders, BecomeTheFileThatLlamaCppMakesOfThem) {
  const test::TemporaryFolder folder;
  const auto ours = logits(written(test::golden_folder() / GetParam(), BlockType::f32, folder));
  const auto theirs = logits(test::golden_folder() / "gguf" / (std::string(GetParam()) + "-f32.gguf"));
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size() * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(Families, Folders, testing::Values("llama-gqa", "llama-rope3", "qwen2", "qwen3"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Quantize, KeepsTheHyperParameters) {
  const test::TemporaryFolder folder;
  const auto path = test::golden_folder() / "mistral";
  const auto from = Checkpoint::open(path);
  const auto to = Checkpoint::open(written(path, BlockType::f16, folder));
  ASSERT_TRUE(from.has_value() && to.has_value());
  const HyperParameters &a = from->params(), &b = to->params();
  EXPECT_EQ(a.sliding_window, b.sliding_window);
  EXPECT_EQ(a.layers, b.layers);
  EXPECT_EQ(a.heads, b.heads);
  EXPECT_EQ(a.kv_heads, b.kv_heads);
  EXPECT_EQ(a.key_dim, b.key_dim);
  EXPECT_EQ(a.ffn_dim, b.ffn_dim);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.norm_eps, b.norm_eps);
  EXPECT_EQ(a.rope.theta, b.rope.theta);
  EXPECT_EQ(b.rope.pairs, RopePairs::neighbours);
}

TEST(Quantize, RefusesWhatGgufCannotSay) {
  const auto checkpoint = Checkpoint::open(test::golden_folder() / "qwen3-moe");
  ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  GgufWriter writer;
  const auto refused = add_gguf_params(*checkpoint, writer);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  EXPECT_NE(refused.error().message.find("model_type"), std::string::npos);
}

}  // namespace
}  // namespace baleen
