#include "cli/model_facts.h"

#include <stdexcept>

namespace baleen {
namespace {

Checkpoint open_golden(const std::string& name) {
  auto checkpoint = Checkpoint::open(BALEEN_SOURCE_DIR "/tests/golden/" + name);
  if (!checkpoint) throw std::runtime_error(checkpoint.error().message);
  return std::move(*checkpoint);
}

TEST(ModelFacts, ActiveParametersAreThoseOfTheExpertsUsed) {
  const ModelFacts facts = gather_facts(open_golden("deepseek-v3"));
  constexpr int64_t kExpert = 3 * 32 * 128, kLayers = 2, kExperts = 16, kUsed = 4;
  EXPECT_EQ(facts.parameters, 898'432);
  EXPECT_EQ(facts.active_parameters, facts.parameters - kLayers * (kExperts - kUsed) * kExpert);
}

TEST(ModelFacts, StacksCountLikeExpertsApart) {
  const ModelFacts file = gather_facts(open_golden("gguf/deepseek-v2-lite-f32.gguf")),
                   folder = gather_facts(open_golden("deepseek-v2-lite"));
  EXPECT_EQ(file.parameters, folder.parameters);
  EXPECT_EQ(file.active_parameters, folder.active_parameters);
}

TEST(ModelFacts, DenseModelsAreAllActive) {
  const ModelFacts facts = gather_facts(open_golden("llama-gqa"));
  EXPECT_EQ(facts.parameters, 403'104);
  EXPECT_EQ(facts.active_parameters, facts.parameters);
}

TEST(ModelFacts, PredictionBlocksAreApart) {
  const ModelFacts facts = gather_facts(open_golden("deepseek-v3"));
  EXPECT_EQ(facts.prediction.tensors, 68);
  EXPECT_GT(facts.prediction.parameters,
            128 * 256 + 2 * 320 * 128);  // eh_proj, embed_tokens, shared_head.head
  EXPECT_EQ(gather_facts(open_golden("deepseek-v2")).prediction.tensors, 0);
}

TEST(ModelFacts, ScalesOfFp8CountAsBytesButNotAsParameters) {
  const Checkpoint checkpoint = open_golden("deepseek-v3-fp8");
  const auto fp8 = gather_facts(checkpoint).types.at("f8_e4m3");
  EXPECT_GT(fp8.bytes, static_cast<uint64_t>(fp8.parameters));
  EXPECT_LT(fp8.bytes, static_cast<uint64_t>(fp8.parameters) + 4096);
}

TEST(ModelFacts, CacheOfLatentsAgainstHeads) {
  const HyperParameters params = open_golden("deepseek-v3").params();
  EXPECT_EQ(kv_bytes_per_token(params, KvType::f32), 3U * (64 + 32) * 4);
  EXPECT_EQ(kv_bytes_per_token(params, KvType::f16),
            3U * (64 + 32 + 3 + 1) * 2);  // scales of keys and of values
  EXPECT_EQ(multi_head_bytes_per_token(params, KvType::f32), 3U * 4 * (64 + 48) * 4);
  const HyperParameters grouped = open_golden("llama-gqa").params();
  EXPECT_EQ(multi_head_bytes_per_token(grouped, KvType::f16), 3 * kv_bytes_per_token(grouped, KvType::f16));
}

}  // namespace
}  // namespace baleen
