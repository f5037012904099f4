// Checkpoints of models with experts and latents: DeepSeek's and Qwen3's, from folders and from GGUF.
#include "base/byte_reader.h"
#include "formats/checkpoint.h"
#include "formats/tensor_name.h"
#include "formats/tiny_hub.h"

namespace baleen {
namespace {

using test::TemporaryFolder;
using test::TinyGguf;
using test::TinyHub;
using test::write_folder;

Checkpoint open_golden(const std::string& name) {
  auto checkpoint = Checkpoint::open(BALEEN_SOURCE_DIR "/tests/golden/" + name);
  if (!checkpoint) throw std::runtime_error(checkpoint.error().message);
  return std::move(*checkpoint);
}

HyperParameters params_of(TinyHub hub) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  return checkpoint ? checkpoint->params() : HyperParameters{};
}

HyperParameters params_of(const TinyGguf& file) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", file.to_bytes()));
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  return checkpoint ? checkpoint->params() : HyperParameters{};
}

TEST(Experts, DeepseekV2LiteFromAFolder) {
  const Checkpoint checkpoint = open_golden("deepseek-v2-lite");
  const HyperParameters& params = checkpoint.params();
  EXPECT_EQ(params.architecture, "deepseek2");
  EXPECT_EQ(params.layers, 3);
  EXPECT_EQ(params.heads, 4);
  EXPECT_EQ(params.kv_heads, 4);
  EXPECT_EQ(params.key_dim, 80);
  EXPECT_EQ(params.value_dim, 24);
  EXPECT_EQ(params.latent.q_rank, 0);
  EXPECT_EQ(params.latent.kv_rank, 64);
  EXPECT_EQ(params.latent.nope_dim, 48);
  EXPECT_EQ(params.latent.rope_dim, 32);
  EXPECT_EQ(params.latent.value_dim, 24);
  EXPECT_FALSE(params.indexer.exist());
  EXPECT_EQ(params.experts.count, 10);
  EXPECT_EQ(params.experts.used, 3);
  EXPECT_EQ(params.experts.shared, 2);
  EXPECT_EQ(params.experts.ffn_dim, 96);
  EXPECT_EQ(params.experts.leading_dense_layers, 1);
  EXPECT_EQ(params.experts.groups, 1);
  EXPECT_EQ(params.experts.gate, ExpertGate::softmax);
  EXPECT_FALSE(params.experts.selection_bias);
  EXPECT_FALSE(params.experts.normalise_weights);
  EXPECT_EQ(params.experts.weight_scale, 1);
  EXPECT_EQ(params.rope.pairs, RopePairs::neighbours);
  EXPECT_EQ(params.rope.dimensions, 32);
  EXPECT_EQ(params.rope.scaling, RopeScaling::yarn);
  EXPECT_EQ(params.rope.attention_factor, 1);
  EXPECT_EQ(params.rope.mscale_all_dim, 0.707F);
}

TEST(Experts, GgufSaysTheSameAsTheFolder) {
  const Checkpoint file = open_golden("gguf/deepseek-v2-lite-f32.gguf"),
                   folder = open_golden("deepseek-v2-lite");
  const HyperParameters &a = file.params(), &b = folder.params();
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.layers, b.layers);
  EXPECT_EQ(a.kv_heads, b.kv_heads);
  EXPECT_EQ(a.key_dim, b.key_dim);
  EXPECT_EQ(a.value_dim, b.value_dim);
  EXPECT_EQ(a.latent.q_rank, b.latent.q_rank);
  EXPECT_EQ(a.latent.kv_rank, b.latent.kv_rank);
  EXPECT_EQ(a.latent.nope_dim, b.latent.nope_dim);
  EXPECT_EQ(a.latent.rope_dim, b.latent.rope_dim);
  EXPECT_EQ(a.latent.value_dim, b.latent.value_dim);
  EXPECT_EQ(a.experts.count, b.experts.count);
  EXPECT_EQ(a.experts.used, b.experts.used);
  EXPECT_EQ(a.experts.shared, b.experts.shared);
  EXPECT_EQ(a.experts.ffn_dim, b.experts.ffn_dim);
  EXPECT_EQ(a.experts.leading_dense_layers, b.experts.leading_dense_layers);
  EXPECT_EQ(a.experts.gate, b.experts.gate);
  EXPECT_EQ(a.experts.selection_bias, b.experts.selection_bias);
  EXPECT_EQ(a.experts.normalise_weights, b.experts.normalise_weights);
  EXPECT_EQ(a.rope.pairs, b.rope.pairs);
  EXPECT_EQ(a.rope.factor, b.rope.factor);
  EXPECT_NEAR(a.rope.mscale_all_dim, b.rope.mscale_all_dim, 1e-6);
  EXPECT_EQ(a.rope.attention_factor, b.rope.attention_factor);
}

/// The float at `index` of a bf16 or f32 tensor.
float value_at(const Tensor& tensor, size_t index) {
  if (tensor.type == BlockType::f32) return ByteReader(tensor.bytes.subspan(index * 4)).read<float>();
  const uint32_t bits = ByteReader(tensor.bytes.subspan(index * 2)).read<uint16_t>();
  return std::bit_cast<float>(bits << 16);
}

TEST(Experts, AreTheSameInAStackAndApart) {
  const Checkpoint file = open_golden("gguf/deepseek-v2-lite-f32.gguf"),
                   folder = open_golden("deepseek-v2-lite");
  for (const char* stack : {"ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight"}) {
    for (int32_t expert = 0; expert < 10; ++expert) {
      const auto a = file.expert_tensor(2, stack, expert), b = folder.expert_tensor(2, stack, expert);
      ASSERT_TRUE(a && b) << stack;
      EXPECT_EQ(a->name, b->name);
      EXPECT_EQ(a->rows, b->rows);
      EXPECT_EQ(a->cols, b->cols);
      EXPECT_EQ(a->depth, 1);
      ASSERT_EQ(a->bytes.size(), static_cast<size_t>(a->rows * a->cols) * 4);
      ASSERT_EQ(b->bytes.size(), static_cast<size_t>(b->rows * b->cols) * 2);
      for (size_t i = 0; i < static_cast<size_t>(a->rows * a->cols); ++i)
        ASSERT_EQ(value_at(*a, i), value_at(*b, i)) << a->name << " " << i;
    }
    EXPECT_FALSE(file.expert_tensor(2, stack, 10));
    EXPECT_FALSE(file.expert_tensor(2, stack, -1));
    EXPECT_FALSE(folder.expert_tensor(2, stack, 10));
    EXPECT_FALSE(folder.expert_tensor(0, stack, 0)) << "a dense layer";
  }
}

TEST(Experts, EachFamilyChoosesInItsOwnWay) {
  const ExpertParameters v2 = open_golden("deepseek-v2").params().experts;
  EXPECT_EQ(v2.groups, 4);
  EXPECT_EQ(v2.groups_used, 2);
  EXPECT_EQ(v2.group_score, GroupScore::best);
  EXPECT_EQ(v2.weight_scale, 16);
  EXPECT_FALSE(v2.selection_bias);
  const ExpertParameters v3 = open_golden("deepseek-v3").params().experts;
  EXPECT_EQ(v3.groups, 4);
  EXPECT_EQ(v3.gate, ExpertGate::sigmoid);
  EXPECT_EQ(v3.group_score, GroupScore::two_best);
  EXPECT_TRUE(v3.selection_bias);
  EXPECT_TRUE(v3.normalise_weights);
  EXPECT_EQ(v3.weight_scale, 2.5F);
  const Checkpoint qwen = open_golden("qwen3-moe");
  EXPECT_EQ(qwen.params().architecture, "qwen3moe");
  EXPECT_EQ(qwen.params().experts.count, 12);
  EXPECT_EQ(qwen.params().experts.used, 3);
  EXPECT_EQ(qwen.params().experts.ffn_dim, 64);
  EXPECT_EQ(qwen.params().experts.shared, 0);
  EXPECT_EQ(qwen.params().experts.leading_dense_layers, 0);
  EXPECT_EQ(qwen.params().experts.gate, ExpertGate::softmax);
  EXPECT_TRUE(qwen.params().experts.normalise_weights);
  EXPECT_EQ(qwen.params().rope.pairs, RopePairs::halves);
  EXPECT_FALSE(qwen.params().latent.exist());
}

TEST(Experts, MscalesOfV2Differ) {
  // (0.1 ln 40 + 1) / (0.0707 ln 40 + 1)
  EXPECT_NEAR(open_golden("deepseek-v2").params().rope.attention_factor, 1.36888794 / 1.26080378, 1e-6);
}

TEST(Experts, IndexerOfV32) {
  const HyperParameters params = open_golden("deepseek-v3.2").params();
  EXPECT_EQ(params.architecture, "deepseek32");
  EXPECT_EQ(params.indexer.heads, 16);
  EXPECT_EQ(params.indexer.key_dim, 64);
  EXPECT_EQ(params.indexer.top_k, 40);
}

TEST(Experts, PredictionBlocksAreRecognisedAndNoPartOfTheModel) {
  const Checkpoint checkpoint = open_golden("deepseek-v3");
  EXPECT_EQ(checkpoint.params().layers, 3);
  EXPECT_EQ(checkpoint.params().prediction_layers, 1);
  EXPECT_EQ(checkpoint.tensors().size(), 139U);
  EXPECT_EQ(checkpoint.prediction_tensors().size(), 68U);
  for (const Tensor& tensor : checkpoint.prediction_tensors()) EXPECT_TRUE(tensor.name.starts_with("blk.3."));
  EXPECT_EQ(checkpoint.find("blk.3.nextn.eh_proj.weight"), nullptr);
  EXPECT_EQ(open_golden("deepseek-v3-fp8").prediction_tensors().size(), 0U);
}

TEST(Experts, Fp8MatricesHaveTheirScales) {
  const Checkpoint checkpoint = open_golden("deepseek-v3-fp8");
  int scaled = 0;
  for (const Tensor& tensor : checkpoint.tensors()) {
    EXPECT_EQ(tensor.scales.exist(), tensor.type == BlockType::f8_e4m3) << tensor.name;
    if (!tensor.scales.exist()) continue;
    ++scaled;
    EXPECT_EQ(tensor.scales.type, BlockType::f32);
    EXPECT_EQ(tensor.scales.block_rows, 128);
    EXPECT_EQ(tensor.scales.block_cols, 128);
    const auto blocks = ((tensor.rows + 127) / 128) * ((tensor.cols + 127) / 128);
    EXPECT_EQ(tensor.scales.bytes.size(), static_cast<size_t>(blocks) * 4) << tensor.name;
  }
  EXPECT_EQ(scaled, 96);
  const auto expert = checkpoint.expert_tensor(1, "ffn_down_exps.weight", 11);
  ASSERT_TRUE(expert);
  EXPECT_TRUE(expert->scales.exist());
}

TEST(Experts, LegalFolders) {
  const struct {
    const char* what;
    void (*change)(TinyHub&);
  } kVariants[] = {
      {"as it is", [](TinyHub&) {}},
      {"no prediction block, though config.json counts one",
       [](TinyHub& h) {
         std::erase_if(h.weights.tensors,
                       [](const auto& tensor) { return tensor.name.starts_with("model.layers.2."); });
       }},
      {"scales that are powers of two",
       [](TinyHub& h) { h.tensor("model.layers.0.self_attn.o_proj.weight_scale_inv").dtype = "F8_E8M0"; }},
      {"a matrix that is not converted",
       [](TinyHub& h) {
         h.tensor("model.layers.0.self_attn.o_proj.weight").dtype = "BF16";
         h.erase_tensor("model.layers.0.self_attn.o_proj.weight_scale_inv");
       }},
      {"partial blocks in both directions",
       [](TinyHub& h) {
         h.set("quantization_config", R"({"quant_method": "fp8", "weight_block_size": [128, 128]})");
         for (auto& tensor : h.weights.tensors)
           if (tensor.name.ends_with("_scale_inv")) tensor.shape = {1, 1};
       }},
      {"V3, which has no indexer",
       [](TinyHub& h) {
         h.set("model_type", "\"deepseek_v3\"");
         std::erase_if(h.weights.tensors, [](const auto& tensor) { return tensor.name.contains("indexer"); });
       }},
      {"Kimi K2",
       [](TinyHub& h) {
         h.set("model_type", "\"kimi_k2\"");
         h.set("n_group", "1");
         std::erase_if(h.weights.tensors, [](const auto& tensor) { return tensor.name.contains("indexer"); });
       }},
      {"no shared experts",
       [](TinyHub& h) {
         h.set("n_shared_experts", "null");
         std::erase_if(h.weights.tensors,
                       [](const auto& tensor) { return tensor.name.contains("shared_experts"); });
       }},
  };
  const TemporaryFolder folder;
  for (const auto& variant : kVariants) {
    TinyHub hub = TinyHub::deepseek();
    variant.change(hub);
    auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
    EXPECT_TRUE(checkpoint) << variant.what << ": " << checkpoint.error().message;
  }
  EXPECT_TRUE(Checkpoint::open(write_folder(folder, TinyHub::deepseek().sharded())));
  EXPECT_TRUE(Checkpoint::open(write_folder(folder, TinyHub::qwen3_moe().files())));
}

TEST(Experts, DefaultsOfTheConfigurationClasses) {
  TinyHub hub = TinyHub::deepseek();
  for (const char* key : {"topk_method", "scoring_func", "norm_topk_prob", "moe_layer_freq"}) hub.erase(key);
  const ExpertParameters v3 = params_of(hub).experts;
  EXPECT_EQ(v3.gate, ExpertGate::sigmoid);
  EXPECT_TRUE(v3.selection_bias);
  EXPECT_TRUE(v3.normalise_weights);
  hub.set("model_type", "\"deepseek_v2\"");
  std::erase_if(hub.weights.tensors, [](const auto& tensor) {
    return tensor.name.contains("indexer") || tensor.name.contains("e_score");
  });
  const ExpertParameters v2 = params_of(hub).experts;
  EXPECT_EQ(v2.gate, ExpertGate::softmax);
  EXPECT_EQ(v2.groups, 1) << "greedy knows no groups";
  EXPECT_FALSE(v2.normalise_weights);
}

TEST(Experts, ScoresOfAGgufFileFollowFromItsGateAndTensors) {
  TinyGguf file = TinyGguf::deepseek2();
  HyperParameters params = params_of(file);
  EXPECT_EQ(params.layers, 2);
  EXPECT_EQ(params.prediction_layers, 1);
  EXPECT_EQ(params.key_dim, 6);
  EXPECT_EQ(params.latent.nope_dim, 4);
  EXPECT_EQ(params.experts.groups, 2);
  EXPECT_EQ(params.experts.group_score, GroupScore::two_best);
  EXPECT_TRUE(params.experts.selection_bias);
  for (const char* layer : {"blk.1.", "blk.2."}) file.erase_tensor(layer + std::string("exp_probs_b.bias"));
  file.set_u32("deepseek2.expert_gating_func", 1);
  params = params_of(file);
  EXPECT_EQ(params.experts.group_score, GroupScore::best);
  EXPECT_FALSE(params.experts.selection_bias);
}

TEST(Experts, OlderGgufFilesHaveKeysAndValuesTogether) {
  const HyperParameters params = params_of(TinyGguf::deepseek2_older());
  EXPECT_EQ(params.key_dim, 6);
  EXPECT_EQ(params.value_dim, 4);
  EXPECT_EQ(params.kv_heads, 2);
}

TEST(Experts, IndexerOfAGgufFile) { EXPECT_EQ(params_of(TinyGguf::deepseek32()).indexer.top_k, 8); }

TEST(Experts, Qwen3sInAGgufFile) {
  TinyGguf file = TinyGguf::qwen3moe();
  ExpertParameters experts = params_of(file).experts;
  EXPECT_EQ(experts.count, 4);
  EXPECT_EQ(experts.used, 2);
  EXPECT_EQ(experts.shared, 0);
  EXPECT_EQ(experts.gate, ExpertGate::softmax);
  EXPECT_TRUE(experts.normalise_weights) << "where the file does not say it";
  file.set_bool("qwen3moe.expert_weights_norm", 0);
  EXPECT_FALSE(params_of(file).experts.normalise_weights);
  file.set_u32("qwen3moe.expert_shared_count", 0);
  EXPECT_EQ(params_of(file).experts.shared, 0);
}

/// llama.cpp turns by attn_factor and scales latent attention's scores by the square of attn_factor times the mscale
/// that the multiplier makes.
TEST(Experts, AttentionFactorScalesLatentsScoresToo) {
  TinyGguf file = TinyGguf::deepseek2();
  file.set_text("deepseek2.rope.scaling.type", "yarn");
  file.set_f32("deepseek2.rope.scaling.factor", 40);
  file.set_f32("deepseek2.rope.scaling.yarn_log_multiplier", 0.0707F);
  RopeParameters rope = params_of(file).rope;
  EXPECT_EQ(rope.attention_factor, 1);
  EXPECT_NEAR(rope.mscale_all_dim, 0.707F, 1e-6);
  file.set_f32("deepseek2.rope.scaling.attn_factor", 1.25F);
  rope = params_of(file).rope;
  EXPECT_EQ(rope.attention_factor, 1.25F);
  // 1.25 * (0.0707 ln 40 + 1) = 1.57600472 = 0.1 m ln 40 + 1
  EXPECT_NEAR(rope.mscale_all_dim, 1.5614626F, 1e-5);
}

TEST(TensorNames, ExpertsGoBothWays) {
  EXPECT_EQ(expert_name("ffn_gate_exps.weight", 7), "ffn_gate_exps.7.weight");
  const auto split = split_expert_name("ffn_gate_exps.7.weight");
  ASSERT_TRUE(split);
  EXPECT_EQ(split->stack, "ffn_gate_exps.weight");
  EXPECT_EQ(split->expert, 7);
  for (const char* name : {"", "ffn_gate_exps.weight", "ffn_gate.7.weight", "ffn_gate_exps.07.weight",
                           "ffn_gate_exps.-1.weight", "ffn_gate_exps.4294967296.weight", "ffn_gate_exps."})
    EXPECT_FALSE(split_expert_name(name)) << name;
}

}  // namespace
}  // namespace baleen
