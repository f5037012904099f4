#include <cmath>
#include <limits>

#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

constexpr const char* kCounts[] = {"llama.block_count", "llama.context_length", "llama.embedding_length",
                                   "llama.feed_forward_length", "llama.attention.head_count"};

void add_counts(GgufCases& cases) {
  for (const std::string key : kCounts) {
    cases.add("no " + key, key, [&](TinyGguf& f) { f.erase_entry(key); });
    cases.add(key + " as text", key, [&](TinyGguf& f) { f.set_text(key, "2"); });
    cases.add(key + " as float", key, [&](TinyGguf& f) { f.set_f32(key, 2); });
    cases.add(key + " as bool", key, [&](TinyGguf& f) { f.set_bool(key, 1); });
    cases.add(key + " as array", key,
              [&](TinyGguf& f) { f.set_numbers<uint32_t>(key, GgufType::u32, {2, 3}); });
    for (const int64_t value :
         {int64_t{0}, int64_t{-1}, int64_t{1} << 31, int64_t{1} << 32, (int64_t{1} << 32) + 2,
          std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
      cases.add(key + " = " + std::to_string(value), key, [&](TinyGguf& f) { f.set({key, 11, raw(value)}); });
    cases.add(key + " = 2^64 - 1", key, [&](TinyGguf& f) { f.set({key, 10, raw(~uint64_t{0})}); });
    cases.add(key + " twice", key, [&](TinyGguf& f) { f.entries.push_back(f.entry(key)); });
  }
  for (const uint32_t layers : {1'000'000'000U, 4097U, 512U, 513U, 3U})
    cases.add(std::to_string(layers) + " layers", layers > 4096 ? "llama.block_count" : "blk.2.",
              [&](TinyGguf& f) { f.set_u32("llama.block_count", layers); });
  cases.add("a layer too few", "blk.1.", [](TinyGguf& f) { f.set_u32("llama.block_count", 1); });
}

void add_heads(GgufCases& cases) {
  const auto set = [&](const std::string& key, uint32_t value, const std::string& named = "") {
    cases.add("llama." + key + " = " + std::to_string(value), named.empty() ? "llama." + key : named,
              [&](TinyGguf& f) { f.set_u32("llama." + key, value); });
  };
  for (const uint32_t value : {0U, 3U, 4U, 65'537U, 1U << 31, 0xFFFFFFFFU})
    set("attention.head_count_kv", value);
  set("attention.head_count_kv", 2, "attn_k.weight");
  for (const uint32_t value : {3U, 5U, 7U, 8U, 9U, 65'536U}) set("attention.head_count", value);
  set("attention.head_count", 4, "llama.rope.dimension_count");
  for (const uint32_t value : {0U, 1U, 3U, 5U, 65'538U, 1U << 31}) set("attention.key_length", value);
  set("attention.key_length", 8, "attn_q.weight");
  for (const uint32_t value : {0U, 65'538U, 1U << 31}) set("attention.value_length", value);
  set("attention.value_length", 8, "attn_");
  set("embedding_length", 16, "token_embd.weight");
  set("feed_forward_length", 32, "ffn_gate.weight");
  for (const uint32_t value : {0U, 1U, 3U, 6U, 1U << 31}) set("rope.dimension_count", value);
  for (const uint32_t value : {0U, 1U, 259U, 261U, 1U << 20, (1U << 20) + 1, 1U << 31})
    set("vocab_size", value);
  set("context_length", (1U << 30) + 1);
  set("attention.sliding_window", 1U << 31);
  set("expert_count", 4);
  set("expert_count", 1U << 31);
  set("expert_used_count", 2);
}

void add_reals(GgufCases& cases) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  const std::string eps = "llama.attention.layer_norm_rms_epsilon", theta = "llama.rope.freq_base";
  cases.add("no eps", eps, [&](TinyGguf& f) { f.erase_entry(eps); });
  for (const float value : {0.0F, -1e-5F, 1.0F, kNan, kInf, -kInf})
    cases.add("eps " + std::to_string(value), eps, [&](TinyGguf& f) { f.set_f32(eps, value); });
  for (const float value : {0.0F, -1.0F, 0.5F, 1e30F, kNan, kInf, -kInf})
    cases.add("theta " + std::to_string(value), theta, [&](TinyGguf& f) { f.set_f32(theta, value); });
  cases.add("theta as text", theta, [&](TinyGguf& f) { f.set_text(theta, "10000"); });
  cases.add("eps as double NaN", eps,
            [&](TinyGguf& f) { f.set({eps, 12, raw(std::numeric_limits<double>::quiet_NaN())}); });
}

void add_scaling(GgufCases& cases) {
  const std::string type = "llama.rope.scaling.type", factor = "llama.rope.scaling.factor";
  for (const char* name : {"", "Linear", "longrope", "dynamic", "su"})
    cases.add(std::string("rope scaling \"") + name + "\"", type,
              [&](TinyGguf& f) { f.set_text(type, name); });
  cases.add("rope scaling as number", type, [&](TinyGguf& f) { f.set_u32(type, 1); });
  for (const char* name : {"linear", "yarn"}) {
    cases.add(std::string(name) + " without factor", factor, [&](TinyGguf& f) { f.set_text(type, name); });
    for (const float value :
         {0.0F, -2.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
      cases.add(std::string(name) + " by " + std::to_string(value), factor,
                [&](TinyGguf& f) { f.set_text(type, name), f.set_f32(factor, value); });
  }
  const std::string original = "llama.rope.scaling.original_context_length";
  cases.add("yarn of no original context", original,
            [&](TinyGguf& f) { f.set_text(type, "yarn"), f.set_f32(factor, 4), f.set_u32(original, 0); });
  cases.add("yarn with a NaN", "llama.rope.scaling.yarn_beta_fast", [&](TinyGguf& f) {
    f.set_text(type, "yarn"), f.set_f32(factor, 4);
    f.set_f32("llama.rope.scaling.yarn_beta_fast", std::numeric_limits<float>::quiet_NaN());
  });
}

void add_architectures(GgufCases& cases) {
  const std::string key = "general.architecture";
  cases.add("no architecture", key, [&](TinyGguf& f) { f.erase_entry(key); });
  for (const char* name : {"", "Llama", "llama ", "gpt2", "clip", "\xE2\x80\xA8"})
    cases.add(std::string("architecture \"") + name + "\"", key, [&](TinyGguf& f) { f.set_text(key, name); });
  cases.add("architecture of 1 MiB", key, [&](TinyGguf& f) { f.set_text(key, std::string(1 << 20, 'x')); });
  cases.add("architecture of another family", "qwen2.block_count",
            [&](TinyGguf& f) { f.set_text(key, "qwen2"); });
}

void add_tensors(GgufCases& cases) {
  const std::string names[] = {"token_embd.weight",        "output_norm.weight",    "blk.0.attn_norm.weight",
                               "blk.0.attn_q.weight",      "blk.0.attn_k.weight",   "blk.0.attn_v.weight",
                               "blk.1.attn_output.weight", "blk.1.ffn_norm.weight", "blk.1.ffn_gate.weight",
                               "blk.1.ffn_up.weight",      "blk.1.ffn_down.weight"};
  for (const std::string& name : names) {
    cases.add("no " + name, name, [&](TinyGguf& f) { f.erase_tensor(name); });
    cases.add(name + " twice", name, [&](TinyGguf& f) { f.tensors.push_back(f.tensor(name)); });
    cases.add(name + " with another column", name, [&](TinyGguf& f) { ++f.tensor(name).dimensions[0]; });
    cases.add(name + " of one column", name, [&](TinyGguf& f) { f.tensor(name).dimensions[0] = 1; });
    cases.add(name + " with another row", name, [&](TinyGguf& f) {
      auto& dimensions = f.tensor(name).dimensions;
      dimensions.resize(2, 1);
      ++dimensions[1];
    });
    cases.add(name + " with a third dimension", name, [&](TinyGguf& f) {
      auto& dimensions = f.tensor(name).dimensions;
      dimensions.resize(2, 1);
      dimensions.push_back(2);
    });
    for (const uint32_t integer : {24U, 25U, 26U, 27U, 28U})
      cases.add(name + " in type " + std::to_string(integer), name,
                [&](TinyGguf& f) { f.tensor(name).type = integer; });
  }
  cases.add("output.weight with a row less", "output.weight",
            [](TinyGguf& f) { --f.tensor("output.weight").dimensions[1]; });
  for (const char* name : {"blk.2.attn_q.weight", "blk.9.ffn_norm.weight", "blk.4294967296.attn_q.weight",
                           "blk.-1.attn_q.weight", "blk.00.attn_q.weight", "blk.0.attn_q.bias",
                           "blk.0.attn_q_norm.weight", "blk.attn_q.weight", "blk.0.", "blk.0", "blk.",
                           "something.else", "token_embd", "blk.0.ffn_gate_exps.weight"})
    cases.add(std::string("left over: ") + name, name,
              [&](TinyGguf& f) { f.tensors.push_back({name, {8}}); });
  cases.add("rope_freqs of another size", "rope_freqs.weight",
            [](TinyGguf& f) { f.tensors.push_back({"rope_freqs.weight", {3}}); });
}

}  // namespace

std::vector<MalformedCase> gguf_model_cases() {
  GgufCases cases;
  add_counts(cases);
  add_heads(cases);
  add_reals(cases);
  add_scaling(cases);
  add_architectures(cases);
  add_tensors(cases);
  return cases.take();
}

}  // namespace baleen::test
