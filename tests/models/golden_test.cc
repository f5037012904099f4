// Small models against float32 references (tests/golden/README.md): the whole forward pass, from tensors to logits.
#include "golden.h"

#include <string>

#include "gtest/gtest.h"
#include "models/evaluator.h"

namespace baleen {
namespace {

/// The name of a golden_model().
class GoldenModels : public testing::TestWithParam<const char*> {
 protected:
  static std::filesystem::path path() { return test::golden_model(GetParam()); }
  static test::Golden golden() { return test::read_golden(GetParam()); }
};

class FloatModels : public GoldenModels {};
class QuantisedModels : public GoldenModels {};

TEST_P(FloatModels, LogitsOfEveryPosition) {
  const test::TestModel loaded = test::load(path(), best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  test::expect_reference_logits(*loaded.model, golden());
}

TEST_P(FloatModels, GreedyContinuations) {
  const test::TestModel loaded = test::load(path(), best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  test::expect_reference_tokens(*loaded.model, golden());
}

// Activations are rounded to int8, the reference rounds none: the bounds are what that costs on random weights. Some
// of their margins are below that, so the share of equal top tokens is taken over both longer prompts together.
TEST_P(QuantisedModels, LogitsWithinWhatInt8ActivationsCost) {
  const test::TestModel loaded = test::load(path(), best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  const test::Golden golden = GoldenModels::golden();
  const auto vocab = static_cast<size_t>(loaded.model->params().vocab_rows);
  double same_top = 0, positions = 0;
  for (size_t i = 0; i < golden.prompts.size(); ++i) {
    const auto ours = test::logits_of(*loaded.model, KvType::f32, golden.prompts[i]);
    const test::Difference difference = test::compare(ours, golden.logits[i], vocab);
    EXPECT_LE(difference.max, 1.3) << "prompt " << i;
    EXPECT_LE(difference.mean, 0.16) << "prompt " << i;
    if (golden.prompts[i].size() == 1) continue;
    const auto tokens = static_cast<double>(golden.prompts[i].size());
    same_top += difference.same_top * tokens;
    positions += tokens;
  }
  EXPECT_GE(same_top / positions, 0.82);
}

TEST(Evaluator, RefusesMorePositionsThanAnIndexerHasScratchFor) {
  const test::TestModel loaded = test::load(test::golden_model("deepseek-v3.2"), best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  const int32_t context = loaded.model->params().context;
  EXPECT_TRUE(Evaluator::make(*loaded.model, KvType::f32, context).has_value());
  const auto longer = Evaluator::make(*loaded.model, KvType::f32, context + 1);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().kind, ErrorKind::usage);
}

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  std::string name;
  for (const char c : std::string(info.param)) name += c == '-' || c == '.' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Gguf, FloatModels,
                         testing::Values("llama-gqa-f32", "llama-rope3-f32", "qwen2-f32", "qwen3-f32",
                                         "deepseek-v2-lite-f32"),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Folders, FloatModels,
                         testing::Values("llama-gqa", "llama-rope3", "mistral", "qwen2", "qwen3", "qwen3-moe",
                                         "deepseek-v2-lite", "deepseek-v2", "deepseek-v3", "deepseek-v3-fp8",
                                         "deepseek-v3.2"),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Gguf, QuantisedModels,
                         testing::Values("llama-wide-q4_0", "llama-wide-q4_1", "llama-wide-q8_0",
                                         "llama-wide-q4_k", "llama-wide-q6_k"),
                         test_name);

}  // namespace
}  // namespace baleen
