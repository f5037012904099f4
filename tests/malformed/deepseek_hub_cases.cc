// Folders of models with experts, latents, indexers, FP8 weights and prediction blocks.
#include "malformed/hub_cases.h"

namespace baleen::test {
namespace {

constexpr const char* kProjection = "model.layers.0.self_attn.q_b_proj";

void set_all(HubCases& cases, const std::string& key, const std::vector<std::string>& values) {
  for (const std::string& value : values)
    cases.add(key + ": " + value.substr(0, 40), key, [&](TinyHub& h) { h.set(key, value); });
}

void add_expert_fields(HubCases& cases) {
  for (const char* key : {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"}) {
    cases.add(std::string("no ") + key, key, [&](TinyHub& h) { h.erase(key); });
    set_all(cases, key,
            {"null", "0", "-1", "2.5", "65537000", "18446744073709551616", "true", "\"4\"", "[4]"});
  }
  set_all(cases, "num_experts_per_tok", {"5", "256", "65536"});
  set_all(cases, "n_shared_experts", {"-1", "65537", "1.5", "\"1\"", "[1]"});
  set_all(cases, "first_k_dense_replace", {"-1", "2", "3", "2147483648", "1.5"});
  set_all(cases, "moe_layer_freq", {"0", "2", "-1", "\"1\""});
  set_all(cases, "n_group", {"0", "-1", "3", "4", "5", "65536", "1.5", "\"2\""});
  set_all(cases, "topk_group", {"0", "-1", "3", "65536", "\"1\""});
  cases.add("more experts than the groups hold", "topk_group",
            [](TinyHub& h) { h.set("num_experts_per_tok", "3"); });
  set_all(cases, "topk_method", {"\"\"", "\"Greedy\"", "\"topk\"", "1", "[]"});
  set_all(cases, "scoring_func", {"\"\"", "\"sqrtsoftplus\"", "1", "{}"});
  set_all(cases, "routed_scaling_factor", {"0", "-2.5", "1e30", "\"2.5\"", "[]", "true"});
  set_all(cases, "norm_topk_prob", {"1", "\"true\"", "[]"});
}

void add_latent_fields(HubCases& cases) {
  for (const char* key : {"kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"}) {
    cases.add(std::string("no ") + key, key, [&](TinyHub& h) { h.erase(key); });
    set_all(cases, key, {"null", "0", "-1", "65537", "2147483648", "4.5", "\"4\"", "[4]"});
  }
  set_all(cases, "q_lora_rank", {"0", "-1", "65537", "1.5", "\"6\"", "[6]"});
  cases.add("indexer without a rank of queries", "q_lora_rank",
            [](TinyHub& h) { h.set("q_lora_rank", "null"); });
  set_all(cases, "qk_rope_head_dim", {"1", "3", "5"});
  set_all(cases, "num_key_value_heads", {"0", "1", "3", "4"});
  cases.add("more dimensions turn than the indexer has", "index_head_dim",
            [](TinyHub& h) { h.set("qk_rope_head_dim", "6"); });
  for (const char* key : {"index_n_heads", "index_head_dim", "index_topk"}) {
    cases.add(std::string("no ") + key, key, [&](TinyHub& h) { h.erase(key); });
    set_all(cases, key, {"null", "0", "-1", "2147483648", "1.5", "\"8\""});
  }
  set_all(cases, "rope_interleave", {"1", "\"true\"", "[]"});
  set_all(cases, "num_nextn_predict_layers", {"-1", "65", "1.5", "\"1\""});
}

void add_quantization(HubCases& cases) {
  const std::string config = "quantization_config";
  const auto with = [&](const std::string& json, const std::string& named) {
    cases.add(config + ": " + json, named, [&](TinyHub& h) { h.set(config, json); });
  };
  for (const char* json :
       {"{}", "1", "[]", "\"fp8\"", R"({"quant_method":"gptq","weight_block_size":[4,128]})",
        R"({"quant_method":8,"weight_block_size":[4,128]})"})
    with(json, config + ".quant_method");
  for (const char* format : {"e5m2", "", "E4M3"})
    with(R"({"quant_method":"fp8","weight_block_size":[4,128],"fmt":")" + std::string(format) + "\"}",
         config + ".fmt");
  for (const char* size : {"null", "4", "[]", "[4]", "[4,4,4]", "[0,128]", "[4,0]", "[-4,128]", "[4,65664]",
                           "[4.5,128]", "[\"4\",128]", "[null,128]", "{}"})
    with(R"({"quant_method":"fp8","weight_block_size":)" + std::string(size) + "}",
         config + ".weight_block_size");
  cases.add("FP8 weights that config.json does not speak of", "weight_scale_inv",
            [&](TinyHub& h) { h.erase(config); });
  for (const char* size : {"[8,128]", "[128,128]", "[1,128]", "[3,256]", "[4,4]", "[4,1]", "[128,64]"})
    cases.add("blocks of " + std::string(size), "weight_scale_inv", [&](TinyHub& h) {
      h.set(config, R"({"quant_method":"fp8","weight_block_size":)" + std::string(size) + "}");
    });
}

void add_scales(HubCases& cases) {
  const std::string weight = std::string(kProjection) + ".weight", scales = weight + "_scale_inv";
  cases.add("no scales", scales, [&](TinyHub& h) { h.erase_tensor(scales); });
  cases.add("scales of nothing", scales, [&](TinyHub& h) { h.erase_tensor(weight); });
  cases.add("scales of a matrix that is not FP8", scales,
            [&](TinyHub& h) { h.tensor(weight).dtype = "BF16"; });
  cases.add("scales of a norm", "model.norm.weight_scale_inv",
            [](TinyHub& h) { h.weights.tensors.push_back({"model.norm.weight_scale_inv", "F32", {1, 1}}); });
  cases.add("scales of an expert that does not exist", "experts.4.up_proj.weight_scale_inv", [](TinyHub& h) {
    h.weights.tensors.push_back({"model.layers.1.mlp.experts.4.up_proj.weight_scale_inv", "F32", {1, 1}});
  });
  cases.add("an expert in FP8 without scales", "experts.2.up_proj.weight_scale_inv",
            [](TinyHub& h) { h.tensor("model.layers.1.mlp.experts.2.up_proj.weight").dtype = "F8_E4M3"; });
  for (const std::vector<uint64_t>& shape :
       std::vector<std::vector<uint64_t>>{{3, 2}, {2, 1}, {4, 1}, {1, 3}, {1, 1}, {3}, {1, 3, 1}, {12, 6}})
    cases.add("scales of another shape", scales, [&](TinyHub& h) { h.tensor(scales).shape = shape; });
  for (const char* dtype : {"F16", "F64", "I32", "U8", "F8_E4M3", "F8_E5M2"})
    cases.add(std::string("scales in ") + dtype, scales, [&](TinyHub& h) { h.tensor(scales).dtype = dtype; });
  for (const char* dtype : {"F8_E5M2", "F8_E8M0", "U8", "I8"})
    cases.add(std::string("weights in ") + dtype, kProjection,
              [&](TinyHub& h) { h.tensor(weight).dtype = dtype; });
  cases.add("a norm in FP8", "model.layers.0.self_attn.q_a_layernorm.weight",
            [](TinyHub& h) { h.tensor("model.layers.0.self_attn.q_a_layernorm.weight").dtype = "F8_E4M3"; });
}

/// Each number of config.json against the tensors as they are.
void add_contradictions(HubCases& cases) {
  const struct {
    const char *key, *value, *named;
  } kCases[] = {
      {"hidden_size", "16", "model."},
      {"n_routed_experts", "6", "gate"},
      {"n_routed_experts", "2", "n_group"},
      {"moe_intermediate_size", "8", "mlp.experts.0.gate_proj.weight"},
      {"n_shared_experts", "2", "shared_experts.gate_proj.weight"},
      {"n_shared_experts", "0", "shared_experts."},
      {"first_k_dense_replace", "0", "model.layers.0.mlp.gate"},
      {"intermediate_size", "32", "model.layers.0.mlp."},
      {"num_attention_heads", "4", "num_key_value_heads"},
      {"q_lora_rank", "7", "q_a_proj.weight"},
      {"kv_lora_rank", "6", "self_attn.kv_"},
      {"kv_lora_rank", "3", "self_attn.kv_"},
      {"qk_nope_head_dim", "6", "self_attn.q_b_proj"},
      {"qk_rope_head_dim", "4", "self_attn."},
      {"v_head_dim", "6", "self_attn."},
      {"index_n_heads", "3", "indexer."},
      {"index_head_dim", "6", "indexer."},
      {"num_hidden_layers", "3", "model.layers."},
      {"num_nextn_predict_layers", "0", "model.layers.2."},
      {"topk_method", "\"greedy\"", "e_score_correction_bias"},
      {"model_type", "\"deepseek_v3\"", "indexer"},
  };
  for (const auto& each : kCases)
    cases.add(std::string(each.key) + " = " + each.value, each.named,
              [&](TinyHub& h) { h.set(each.key, each.value); });
}

void add_tensors(HubCases& cases) {
  for (const TinyHubTensor& tensor : TinyHub::deepseek().weights.tensors) {
    if (tensor.name.starts_with("model.layers.2.")) continue;  // the prediction block, which may be missing
    cases.add("no " + tensor.name, tensor.name, [&](TinyHub& h) { h.erase_tensor(tensor.name); });
  }
  for (const char* name :
       {"model.layers.1.mlp.experts.3.up_proj.weight", "model.layers.1.mlp.gate.weight",
        "model.layers.1.mlp.gate.e_score_correction_bias", "model.layers.1.self_attn.indexer.wk.weight",
        "model.layers.2.eh_proj.weight", "model.layers.2.enorm.weight",
        "model.layers.2.shared_head.head.weight", "model.layers.2.mlp.experts.0.down_proj.weight"})
    cases.add(std::string(name) + " with a column more", name,
              [&](TinyHub& h) { ++h.tensor(name).shape.back(); });
  for (const char* name :
       {"model.layers.1.mlp.experts.4.up_proj.weight", "model.layers.1.mlp.experts.65536.up_proj.weight",
        "model.layers.1.mlp.experts.01.up_proj.weight", "model.layers.1.mlp.experts.-1.up_proj.weight",
        "model.layers.1.mlp.experts.0.gate.weight", "model.layers.1.mlp.experts.up_proj.weight",
        "model.layers.0.mlp.experts.0.up_proj.weight", "model.layers.0.mlp.gate.weight",
        "model.layers.1.mlp.up_proj.weight", "model.layers.1.eh_proj.weight", "model.layers.3.enorm.weight",
        "model.layers.1.self_attn.q_proj.weight", "model.layers.2.something.weight",
        "model.layers.1.mlp.experts.0.up_proj.bias"})
    cases.add(std::string("left over: ") + name, name,
              [&](TinyHub& h) { h.weights.tensors.push_back({name, "BF16", {4, 8}}); });
}

void add_shards(HubCases& cases) {
  Files files = TinyHub::deepseek().sharded();
  files.erase("model-00002-of-00002.safetensors");
  cases.add_files("a shard is missing", "model-00002-of-00002.safetensors", std::move(files));
}

std::vector<MalformedFolder> qwen3_moe_cases() {
  HubCases cases(TinyHub::qwen3_moe);
  for (const char* key : {"num_experts", "num_experts_per_tok", "moe_intermediate_size"}) {
    cases.add(std::string("no ") + key, key, [&](TinyHub& h) { h.erase(key); });
    set_all(cases, key, {"0", "-1", "\"2\""});
  }
  set_all(cases, "num_experts_per_tok", {"5"});
  set_all(cases, "decoder_sparse_step", {"0", "2", "-1"});
  set_all(cases, "mlp_only_layers", {"[0]", "1", "{\"a\":1}", "\"\""});
  cases.add("too many experts", "mlp.", [](TinyHub& h) { h.set("num_experts", "5"); });
  cases.add("too few experts", "mlp.", [](TinyHub& h) { h.set("num_experts", "3"); });
  cases.add("no experts in its tensors", "model.layers.0.mlp.gate.weight", [](TinyHub& h) {
    std::erase_if(h.weights.tensors, [](const auto& tensor) { return tensor.name.contains("mlp."); });
  });
  return cases.take();
}

}  // namespace

std::vector<MalformedFolder> deepseek_hub_cases() {
  HubCases cases(TinyHub::deepseek);
  add_expert_fields(cases);
  add_latent_fields(cases);
  add_quantization(cases);
  add_scales(cases);
  add_contradictions(cases);
  add_tensors(cases);
  add_shards(cases);
  std::vector<MalformedFolder> all = cases.take();
  for (MalformedFolder& each : qwen3_moe_cases()) all.push_back(std::move(each));
  return all;
}

}  // namespace baleen::test
