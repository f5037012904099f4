// Folders and GGUF files written anew: what GGUF files of the same models say, and what llama.cpp's names hold.
#include "models/quantize.h"

#include <cstring>

#include "formats/gguf_export.h"
#include "formats/tiny_hub.h"
#include "golden.h"
#include "gtest/gtest.h"
#include "quantized.h"

namespace baleen {
namespace {

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
  const auto ours = logits(test::quantized(test::golden_folder() / GetParam(), BlockType::f32, folder));
  const auto theirs = logits(test::golden_folder() / "gguf" / (std::string(GetParam()) + "-f32.gguf"));
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_EQ(std::memcmp(ours.data(), theirs.data(), ours.size() * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(Families, Folders,
                         testing::Values("llama-gqa", "llama-rope3", "qwen2", "qwen3", "deepseek-v2-lite"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Quantize, KeepsTheHyperParameters) {
  const test::TemporaryFolder folder;
  const auto path = test::golden_folder() / "mistral";
  const auto from = Checkpoint::open(path);
  const auto to = Checkpoint::open(test::quantized(path, BlockType::f16, folder));
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

void expect_refused(const char* what, const test::TinyHub& hub, const char* named) {
  const test::TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
  ASSERT_TRUE(checkpoint.has_value()) << what << ": " << checkpoint.error().message;
  GgufWriter writer;
  const auto refused = add_gguf_params(*checkpoint, writer);
  ASSERT_FALSE(refused.has_value()) << what;
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input) << what;
  EXPECT_NE(refused.error().message.find(named), std::string::npos)
      << what << ": " << refused.error().message;
}

TEST(Quantize, RefusesWhatGgufCannotSay) {
  test::TinyHub hub = test::TinyHub::deepseek();
  hub.set("topk_method", "\"group_limited_greedy\"");
  std::erase_if(hub.weights.tensors, [](const auto& tensor) { return tensor.name.contains("e_score"); });
  expect_refused("groups ranked by their best sigmoid", hub, "topk_method");
  hub = test::TinyHub::deepseek();
  hub.set("scoring_func", "\"softmax\"");
  expect_refused("groups ranked by their two best softmax scores", hub, "topk_method");
  hub = test::TinyHub::deepseek();
  hub.set("rope_scaling", R"({"type": "yarn", "factor": 40, "mscale": 50, "mscale_all_dim": 0.1})");
  expect_refused("a multiplier below zero", hub, "rope_scaling.mscale");
  hub = test::TinyHub::deepseek();
  hub.set("rope_scaling", R"({"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
                              "original_max_position_embeddings": 32})");
  expect_refused("rope scaling without a name", hub, "rope_scaling");
}

}  // namespace
}  // namespace baleen
