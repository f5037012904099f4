#include "malformed/hub_cases.h"

namespace baleen::test {
namespace {

void set_all(HubCases& cases, const std::string& key, const std::vector<std::string>& values) {
  for (const std::string& value : values)
    cases.add(key + ": " + value.substr(0, 40), key, [&](TinyHub& h) { h.set(key, value); });
}

void add_files(HubCases& cases) {
  cases.add_files("no config.json", "config.json",
                  {{"model.safetensors", TinyHub::llama().weights.to_bytes()}});
  const std::string valid = TinyHub::llama().config_text();
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("null"), std::string("1"), valid + "x", valid + valid,
        "\xEF\xBB\xBF" + valid, valid.substr(0, valid.size() - 1), valid.substr(1),
        std::string("{\"a\xFF\":1}"), std::string("{\"a\":NaN}"), std::string("{\"a\":01}"),
        std::string("{'a':1}"), "{\"a\":" + std::string(65, '[') + std::string(65, ']') + "}",
        std::string(200'000, '['), std::string("{\"a\":\"\\ud800\"}"), std::string("\0\0\0\0", 4)})
    cases.add("config.json is " + text.substr(0, 40), "config.json",
              [&](TinyHub& h) { h.others["config.json"] = text; });
  cases.add("conflicting keys", "config.json",
            [](TinyHub& h) { h.config.emplace_back("hidden_size", "16"); });
  for (const char* text : {"{", "[]", "{\"eos_token_id\":20}", "{\"eos_token_id\":-1}",
                           "{\"eos_token_id\":[2,20]}", "{\"eos_token_id\":[2,null]}",
                           "{\"eos_token_id\":\"2\"}", "{\"eos_token_id\":{}}", "{\"eos_token_id\":2.5}"})
    cases.add(std::string("generation_config.json is ") + text, "generation_config.json",
              [&](TinyHub& h) { h.others["generation_config.json"] = text; });
}

void add_counts(HubCases& cases) {
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                          "max_position_embeddings", "vocab_size"}) {
    cases.add(std::string("no ") + key, key, [&](TinyHub& h) { h.erase(key); });
    set_all(cases, key,
            {"null", "0", "-1", "2.5", "1e30", "2147483648", "18446744073709551616", "true", "\"8\"", "[8]",
             "{}"});
  }
  for (const char* layers : {"3", "4096", "4097", "1000000000"})
    cases.add(std::string(layers) + " layers",
              std::string(layers).size() > 3 && layers[0] != '4' ? "num_hidden_layers" : "",
              [&](TinyHub& h) { h.set("num_hidden_layers", layers); });
  cases.add("a layer too few", "model.layers.1.", [](TinyHub& h) { h.set("num_hidden_layers", "1"); });
  cases.add("a token too many", "model.embed_tokens.weight", [](TinyHub& h) { h.set("vocab_size", "21"); });
  cases.add("another width", "model.", [](TinyHub& h) { h.set("hidden_size", "16"); });
  cases.add("another mlp", "mlp.", [](TinyHub& h) { h.set("intermediate_size", "32"); });
}

void add_heads(HubCases& cases) {
  set_all(cases, "num_key_value_heads", {"0", "-1", "3", "4", "65537", "1.5", "\"1\"", "[1]", "false"});
  set_all(cases, "num_attention_heads", {"3", "5", "8", "65536"});
  set_all(cases, "head_dim", {"0", "1", "3", "-4", "65538", "4.5", "\"4\"", "[4]"});
  cases.add("wider heads", "self_attn", [](TinyHub& h) { h.set("head_dim", "8"); });
  cases.add("two kv heads", "self_attn.k_proj", [](TinyHub& h) { h.set("num_key_value_heads", "2"); });
}

void add_arithmetic(HubCases& cases) {
  set_all(cases, "rms_norm_eps", {"0", "-1e-5", "1", "\"1e-5\"", "[]", "true"});
  set_all(cases, "rope_theta", {"0", "-1", "0.5", "1e30", "\"10000\"", "[]"});
  set_all(cases, "hidden_act", {"\"gelu\"", "\"\"", "\"SiLU\"", "1", "[]"});
  set_all(cases, "attention_bias", {"true", "1", "\"false\"", "[]"});
  set_all(cases, "mlp_bias", {"true", "1", "\"false\"", "[]"});
  cases.add("a bias that config.json denies", "attention_bias", [](TinyHub& h) {
    for (const std::string layer : {"0", "1"})
      h.weights.tensors.push_back({"model.layers." + layer + ".self_attn.o_proj.bias", "BF16", {8}});
  });
  cases.add("a bias of one layer", "self_attn.o_proj", [](TinyHub& h) {
    h.weights.tensors.push_back({"model.layers.0.self_attn.o_proj.bias", "BF16", {8}});
  });
  set_all(cases, "tie_word_embeddings", {"1", "\"true\"", "[]"});
  set_all(cases, "quantization_config", {"{\"quant_method\":\"gptq\"}", "{}"});
  set_all(cases, "partial_rotary_factor", {"0", "0.1", "0.75", "2", "-1", "\"1\""});
  set_all(cases, "bos_token_id", {"20", "-1", "2147483648", "1.5", "\"1\"", "{}", "[20]"});
  set_all(cases, "eos_token_id",
          {"20", "-1", "2147483648", "1.5", "\"1\"", "{}", "[2, 20]", "[null]", "[[2]]"});
  set_all(cases, "layer_types",
          {"1", "[]", "[\"full_attention\"]", "[\"full_attention\",\"sliding_attention\"]", "[1, 2]"});
  set_all(cases, "model_type",
          {"null", "1", "\"\"", "\"Llama\"", "\"gpt2\"", "\"deepseek_v4\"", "[\"llama\"]"});
  cases.add("no model_type", "model_type", [](TinyHub& h) { h.erase("model_type"); });
  for (const char* window : {"0", "-1", "2.5", "\"64\"", "[]", "2147483648"})
    cases.add(std::string("window ") + window, "sliding_window", [&](TinyHub& h) {
      h.set("model_type", "\"mistral\"");
      h.set("sliding_window", window);
    });
  cases.add("qwen2 without its biases", "self_attn.q_proj.bias",
            [](TinyHub& h) { h.set("model_type", "\"qwen2\""); });
  cases.add("qwen3 without its norms", "self_attn.q_norm.weight",
            [](TinyHub& h) { h.set("model_type", "\"qwen3\""); });
  for (const char* list : {"1", "[]", "[1]", "[1, 2]", "[1, 1, 0]", "[true, false]", "[\"1\", \"0\"]"})
    cases.add(std::string("no_rope_layers ") + list, "no_rope_layers", [&](TinyHub& h) {
      h.set("model_type", "\"smollm3\"");
      h.set("no_rope_layers", list);
    });
}

void add_rope(HubCases& cases) {
  for (const char* object : {"rope_scaling", "rope_parameters"}) {
    set_all(cases, object,
            {"1", "[]", "\"linear\"", "true", "{\"rope_type\":\"dynamic\",\"factor\":2}",
             "{\"rope_type\":\"longrope\",\"factor\":2}", "{\"rope_type\":1}", "{\"rope_type\":\"linear\"}",
             "{\"rope_type\":\"linear\",\"factor\":0}", "{\"rope_type\":\"linear\",\"factor\":-1}",
             "{\"rope_type\":\"linear\",\"factor\":\"2\"}", "{\"type\":\"yarn\"}",
             "{\"type\":\"su\",\"factor\":2}",
             "{\"rope_type\":\"yarn\",\"factor\":2,\"original_max_position_embeddings\":0}",
             "{\"rope_type\":\"yarn\",\"factor\":2,\"beta_fast\":[]}",
             "{\"rope_type\":\"llama3\",\"factor\":8}"});
    const std::string whole = R"({"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,)"
                              R"("original_max_position_embeddings":16})";
    for (const char* member : {"factor\":8", "low_freq_factor\":1", "high_freq_factor\":4",
                               "original_max_position_embeddings\":16"}) {
      std::string without = whole;
      without.replace(without.find(member), 3, "xxx");
      cases.add(std::string(object) + " without " + member, object,
                [&](TinyHub& h) { h.set(object, without); });
    }
    std::string equal = whole;
    equal.replace(equal.find("factor\":4"), 9, "factor\":1");
    cases.add(std::string(object) + " with equal frequency factors", "high_freq_factor",
              [&](TinyHub& h) { h.set(object, equal); });
  }
  cases.add("two thetas", "rope_theta",
            [](TinyHub& h) { h.set("rope_parameters", "{\"rope_theta\": 20000}"); });
}

}  // namespace

std::vector<MalformedFolder> hub_config_cases() {
  HubCases cases;
  add_files(cases);
  add_counts(cases);
  add_heads(cases);
  add_arithmetic(cases);
  add_rope(cases);
  return cases.take();
}

std::vector<MalformedFolder> all_hub_cases() {
  std::vector<MalformedFolder> all = safetensors_cases();
  for (auto* const more : {hub_config_cases, deepseek_hub_cases})
    for (MalformedFolder& each : more()) all.push_back(std::move(each));
  return all;
}

}  // namespace baleen::test
