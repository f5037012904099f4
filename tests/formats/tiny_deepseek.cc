// The small models with experts: DeepSeek's, with latents, and Qwen3's.
#include "formats/tiny_gguf.h"
#include "formats/tiny_hub.h"

namespace baleen::test {
namespace {

constexpr int kExperts = 4;

/// Weights and their scales by blocks of 4 x 128.
void add_fp8(TinyHub& hub, const std::string& name, uint64_t rows, uint64_t cols, std::string scale_dtype) {
  hub.weights.tensors.push_back({name + ".weight", "F8_E4M3", {rows, cols}});
  hub.weights.tensors.push_back({name + ".weight_scale_inv", std::move(scale_dtype), {(rows + 3) / 4, 1}});
}

void add_latent_attention(TinyHub& hub, const std::string& attention) {
  const auto add = [&](const std::string& name, std::string dtype, std::vector<uint64_t> shape) {
    hub.weights.tensors.push_back({attention + name, std::move(dtype), std::move(shape)});
  };
  add_fp8(hub, attention + "q_a_proj", 6, 8, "F32");
  add("q_a_layernorm.weight", "BF16", {6});
  add_fp8(hub, attention + "q_b_proj", 12, 6, "F32");
  add_fp8(hub, attention + "kv_a_proj_with_mqa", 6, 8, "F32");
  add("kv_a_layernorm.weight", "BF16", {4});
  add_fp8(hub, attention + "kv_b_proj", 16, 4, "BF16");
  add_fp8(hub, attention + "o_proj", 8, 8, "F32");
  add("indexer.wq_b.weight", "BF16", {8, 6});
  add("indexer.wk.weight", "BF16", {4, 8});
  add("indexer.k_norm.weight", "F32", {4});
  add("indexer.k_norm.bias", "F32", {4});
  add("indexer.weights_proj.weight", "BF16", {2, 8});
}

void add_mlp(TinyHub& hub, const std::string& mlp, uint64_t ffn) {
  for (const char* name : {"gate_proj.weight", "up_proj.weight"})
    hub.weights.tensors.push_back({mlp + name, "BF16", {ffn, 8}});
  hub.weights.tensors.push_back({mlp + "down_proj.weight", "BF16", {8, ffn}});
}

void add_experts(TinyHub& hub, const std::string& mlp) {
  hub.weights.tensors.push_back({mlp + "gate.weight", "BF16", {kExperts, 8}});
  for (int expert = 0; expert < kExperts; ++expert)
    add_mlp(hub, mlp + "experts." + std::to_string(expert) + ".", 4);
}

}  // namespace

TinyHub TinyHub::deepseek() {
  TinyHub hub;
  hub.config = {
      {"model_type", "\"deepseek_v32\""},
      {"hidden_size", "8"},
      {"intermediate_size", "16"},
      {"moe_intermediate_size", "4"},
      {"num_hidden_layers", "2"},
      {"num_attention_heads", "2"},
      {"num_key_value_heads", "2"},
      {"q_lora_rank", "6"},
      {"kv_lora_rank", "4"},
      {"qk_nope_head_dim", "4"},
      {"qk_rope_head_dim", "2"},
      {"v_head_dim", "4"},
      {"n_routed_experts", "4"},
      {"num_experts_per_tok", "2"},
      {"n_shared_experts", "1"},
      {"first_k_dense_replace", "1"},
      {"moe_layer_freq", "1"},
      {"n_group", "2"},
      {"topk_group", "1"},
      {"topk_method", "\"noaux_tc\""},
      {"scoring_func", "\"sigmoid\""},
      {"norm_topk_prob", "true"},
      {"routed_scaling_factor", "2.5"},
      {"num_nextn_predict_layers", "1"},
      {"index_n_heads", "2"},
      {"index_head_dim", "4"},
      {"index_topk", "8"},
      {"max_position_embeddings", "64"},
      {"vocab_size", "20"},
      {"rms_norm_eps", "1e-06"},
      {"rope_theta", "10000"},
      {"tie_word_embeddings", "false"},
      {"quantization_config", R"({"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [4, 128]})"}};
  const auto add = [&](std::string name, std::vector<uint64_t> shape) {
    hub.weights.tensors.push_back({std::move(name), "BF16", std::move(shape)});
  };
  add("lm_head.weight", {20, 8});
  add("model.embed_tokens.weight", {20, 8});
  add("model.norm.weight", {8});
  for (int layer = 0; layer < 3; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    add(prefix + "input_layernorm.weight", {8});
    add_latent_attention(hub, prefix + "self_attn.");
    add(prefix + "post_attention_layernorm.weight", {8});
    if (layer == 0) {
      add_mlp(hub, prefix + "mlp.", 16);
      continue;
    }
    add_experts(hub, prefix + "mlp.");
    hub.weights.tensors.push_back({prefix + "mlp.gate.e_score_correction_bias", "F32", {kExperts}});
    add_mlp(hub, prefix + "mlp.shared_experts.", 4);
  }
  add("model.layers.2.eh_proj.weight", {8, 16});
  add("model.layers.2.enorm.weight", {8});
  add("model.layers.2.hnorm.weight", {8});
  add("model.layers.2.embed_tokens.weight", {20, 8});
  add("model.layers.2.shared_head.norm.weight", {8});
  add("model.layers.2.shared_head.head.weight", {20, 8});
  return hub;
}

TinyHub TinyHub::qwen3_moe() {
  TinyHub hub = llama();
  hub.set("model_type", "\"qwen3_moe\"");
  hub.set("num_experts", "4");
  hub.set("num_experts_per_tok", "2");
  hub.set("moe_intermediate_size", "4");
  hub.set("norm_topk_prob", "true");
  for (int layer = 0; layer < 2; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    for (const char* name : {"gate_proj.weight", "up_proj.weight", "down_proj.weight"})
      hub.erase_tensor(prefix + "mlp." + name);
    for (const char* name : {"q_norm.weight", "k_norm.weight"})
      hub.weights.tensors.push_back({prefix + "self_attn." + name, "BF16", {4}});
    add_experts(hub, prefix + "mlp.");
  }
  return hub;
}

namespace {

void set_sizes(TinyGguf& file, const DeepseekSizes& s) {
  const auto set = [&](const char* key, uint32_t value) {
    file.set_u32("deepseek2." + std::string(key), value);
  };
  set("block_count", 3);
  set("nextn_predict_layers", 1);
  set("context_length", 64);
  set("embedding_length", s.dim);
  set("feed_forward_length", s.ffn);
  set("attention.head_count", s.heads);
  set("attention.head_count_kv", 1);
  set("attention.q_lora_rank", s.q_rank);
  set("attention.kv_lora_rank", s.kv_rank);
  set("attention.key_length", s.kv_rank + s.rope);
  set("attention.value_length", s.kv_rank);
  set("attention.key_length_mla", s.nope + s.rope);
  set("attention.value_length_mla", s.nope);
  set("rope.dimension_count", s.rope);
  set("leading_dense_block_count", 1);
  set("expert_count", s.experts);
  set("expert_used_count", 2);
  set("expert_shared_count", 1);
  set("expert_feed_forward_length", s.expert_ffn);
  set("expert_group_count", 2);
  set("expert_group_used_count", 1);
  set("expert_gating_func", 2);
}

void add_layer(TinyGguf& file, const DeepseekSizes& s, int layer) {
  const auto add = [&](const char* name, std::vector<uint64_t> dimensions) {
    file.tensors.push_back({"blk." + std::to_string(layer) + "." + name, std::move(dimensions)});
  };
  add("attn_norm.weight", {s.dim});
  add("attn_q_a.weight", {s.dim, s.q_rank});
  add("attn_q_a_norm.weight", {s.q_rank});
  add("attn_q_b.weight", {s.q_rank, s.heads * (s.nope + s.rope)});
  add("attn_kv_a_mqa.weight", {s.dim, s.kv_rank + s.rope});
  add("attn_kv_a_norm.weight", {s.kv_rank});
  add("attn_k_b.weight", {s.nope, s.kv_rank, s.heads});
  add("attn_v_b.weight", {s.kv_rank, s.nope, s.heads});
  add("attn_output.weight", {s.heads * s.nope, s.dim});
  add("ffn_norm.weight", {s.dim});
  if (layer == 0) {
    add("ffn_gate.weight", {s.dim, s.ffn});
    add("ffn_up.weight", {s.dim, s.ffn});
    add("ffn_down.weight", {s.ffn, s.dim});
    return;
  }
  add("ffn_gate_inp.weight", {s.dim, s.experts});
  add("exp_probs_b.bias", {s.experts});
  add("ffn_gate_exps.weight", {s.dim, s.expert_ffn, s.experts});
  add("ffn_up_exps.weight", {s.dim, s.expert_ffn, s.experts});
  add("ffn_down_exps.weight", {s.expert_ffn, s.dim, s.experts});
  add("ffn_gate_shexp.weight", {s.dim, s.expert_ffn});
  add("ffn_up_shexp.weight", {s.dim, s.expert_ffn});
  add("ffn_down_shexp.weight", {s.expert_ffn, s.dim});
}

}  // namespace

TinyGguf TinyGguf::deepseek2() { return deepseek2_of({}); }

TinyGguf TinyGguf::deepseek2_of(const DeepseekSizes& s) {
  TinyGguf file;
  file.set_text("general.architecture", "deepseek2");
  file.set_text("tokenizer.ggml.model", "no_vocab");
  set_sizes(file, s);
  file.set_bool("deepseek2.expert_weights_norm", 1);
  file.set_f32("deepseek2.expert_weights_scale", 2.5F);
  file.set_f32("deepseek2.attention.layer_norm_rms_epsilon", 1e-6F);
  file.tensors = {{"token_embd.weight", {s.dim, s.vocab}},
                  {"output_norm.weight", {s.dim}},
                  {"output.weight", {s.dim, s.vocab}}};
  for (int layer = 0; layer < 3; ++layer) add_layer(file, s, layer);
  file.tensors.push_back({"blk.2.nextn.eh_proj.weight", {2 * s.dim, s.dim}});
  return file;
}

TinyGguf TinyGguf::deepseek2_older() {
  TinyGguf file = deepseek2();
  for (const char* key : {"key_length_mla", "value_length_mla"})
    file.erase_entry("deepseek2.attention." + std::string(key));
  file.set_u32("deepseek2.attention.head_count_kv", 2);
  for (const std::string layer : {"blk.0.", "blk.1.", "blk.2."}) {
    file.erase_tensor(layer + "attn_k_b.weight");
    file.erase_tensor(layer + "attn_v_b.weight");
    file.tensors.push_back({layer + "attn_kv_b.weight", {4, 16}});
  }
  return file;
}

TinyGguf TinyGguf::deepseek32() {
  TinyGguf file = deepseek2();
  for (auto& entry : file.entries)
    if (entry.key.starts_with("deepseek2.")) entry.key.insert(8, "3");
  file.set_text("general.architecture", "deepseek32");
  file.set_u32("deepseek32.attention.indexer.head_count", 2);
  file.set_u32("deepseek32.attention.indexer.key_length", 4);
  file.set_u32("deepseek32.attention.indexer.top_k", 8);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    file.tensors.push_back({layer + "indexer.attn_q_b.weight", {6, 8}});
    file.tensors.push_back({layer + "indexer.attn_k.weight", {8, 4}});
    file.tensors.push_back({layer + "indexer.k_norm.weight", {4}});
    file.tensors.push_back({layer + "indexer.k_norm.bias", {4}});
    file.tensors.push_back({layer + "indexer.proj.weight", {8, 2}});
  }
  return file;
}

TinyGguf TinyGguf::qwen3moe() {
  TinyGguf file;
  file.set_text("general.architecture", "qwen3moe");
  file.set_text("tokenizer.ggml.model", "no_vocab");
  const auto set = [&](const char* key, uint32_t value) {
    file.set_u32("qwen3moe." + std::string(key), value);
  };
  set("block_count", 2);
  set("context_length", 64);
  set("embedding_length", 8);
  set("feed_forward_length", 16);
  set("attention.head_count", 2);
  set("attention.head_count_kv", 1);
  set("attention.key_length", 4);
  set("attention.value_length", 4);
  set("expert_count", kExperts);
  set("expert_used_count", 2);
  set("expert_feed_forward_length", 4);
  file.set_f32("qwen3moe.attention.layer_norm_rms_epsilon", 1e-6F);
  file.tensors = {{"token_embd.weight", {8, 20}}, {"output_norm.weight", {8}}, {"output.weight", {8, 20}}};
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    const auto add = [&](const char* name, std::vector<uint64_t> dimensions) {
      file.tensors.push_back({layer + name, std::move(dimensions)});
    };
    add("attn_norm.weight", {8});
    add("attn_q.weight", {8, 8});
    add("attn_q_norm.weight", {4});
    add("attn_k.weight", {8, 4});
    add("attn_k_norm.weight", {4});
    add("attn_v.weight", {8, 4});
    add("attn_output.weight", {8, 8});
    add("ffn_norm.weight", {8});
    add("ffn_gate_inp.weight", {8, kExperts});
    add("ffn_gate_exps.weight", {8, 4, kExperts});
    add("ffn_up_exps.weight", {8, 4, kExperts});
    add("ffn_down_exps.weight", {4, 8, kExperts});
  }
  return file;
}

}  // namespace baleen::test
