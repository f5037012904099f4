// Weights encoded while loading against files that were encoded before: the same bits.
#include "models/weight_types.h"

#include <cstring>

#include "golden.h"
#include "gtest/gtest.h"
#include "quantized.h"

namespace baleen {
namespace {

std::string name_of(BlockType type) { return std::string(info(type).name); }

std::vector<float> logits(const std::filesystem::path& path, const LoadOptions& options) {
  const test::TestModel loaded = test::load(path, best_isa(), 2, options);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i * 7 % 320);
  return test::logits_of(*loaded.model, KvType::f32, ids);
}

class EncodedWeights : public testing::TestWithParam<BlockType> {};

TEST_P(EncodedWeights, LoadedAsAFileOfThatTypeWouldBe) {
  const test::TemporaryFolder folder;
  const auto floats =
      test::quantized(test::golden_folder() / "gguf" / "llama-wide-q8_0.gguf", BlockType::f32, folder);
  const auto file = test::quantized(floats, GetParam(), folder);
  const std::vector<float> expected = logits(file, {}), ours = logits(floats, {.weights = GetParam()});
  ASSERT_EQ(expected.size(), ours.size());
  EXPECT_EQ(std::memcmp(expected.data(), ours.data(), ours.size() * sizeof(float)), 0);
  EXPECT_NE(ours, logits(floats, {}));
}

INSTANTIATE_TEST_SUITE_P(Types, EncodedWeights,
                         testing::Values(BlockType::f16, BlockType::bf16, BlockType::q8_0, BlockType::q4_0,
                                         BlockType::q5_1, BlockType::q4_k, BlockType::q6_k),
                         [](const auto& each) { return name_of(each.param); });

TEST(WeightTypes, QuantisedMatricesStay) {
  const auto path = test::golden_folder() / "gguf" / "llama-wide-q4_k.gguf";
  EXPECT_EQ(logits(path, {}), logits(path, {.weights = BlockType::q8_0}));
}

TEST(WeightTypes, WhatTensorsBecome) {
  auto checkpoint = Checkpoint::open(test::golden_folder() / "qwen2");
  ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  const auto becomes = [&](std::string_view name, BlockType wanted) {
    return loaded_as(*checkpoint, *checkpoint->find(name), wanted);
  };
  EXPECT_EQ(becomes("output_norm.weight", BlockType::q4_0).fit, Fit::kept);
  EXPECT_EQ(becomes("blk.0.attn_q.bias", BlockType::q4_0).type, BlockType::f32);
  EXPECT_EQ(becomes("blk.0.attn_q.weight", BlockType::q4_0).fit, Fit::asked);
  EXPECT_EQ(becomes("blk.0.attn_q.weight", BlockType::q4_k).type, BlockType::q8_0);
  EXPECT_EQ(becomes("blk.0.attn_q.weight", BlockType::q4_k).fit, Fit::fallen_back);
  EXPECT_EQ(becomes("token_embd.weight", BlockType::q4_0).fit, Fit::finer);  // tied: it makes the logits
  EXPECT_EQ(becomes("token_embd.weight", BlockType::q8_0).fit, Fit::asked);
  EXPECT_LT(loaded_bytes(*checkpoint, BlockType::q4_0), loaded_bytes(*checkpoint, std::nullopt));
}

}  // namespace
}  // namespace baleen
