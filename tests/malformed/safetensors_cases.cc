#include "malformed/hub_cases.h"

namespace baleen::test {
namespace {

constexpr const char* kTensor = "model.layers.1.self_attn.q_proj.weight";

void add_headers(HubCases& cases) {
  for (const uint64_t size : {0U, 1U, 7U})
    cases.add(std::to_string(size) + " bytes", "header length at byte 0",
              [&](TinyHub& h) { h.others["model.safetensors"] = std::string(size, '\0'); });
  for (const uint64_t length :
       {~uint64_t{0}, uint64_t{1} << 63, uint64_t{1} << 32, uint64_t{100'000'001}, uint64_t{10'000}})
    cases.add("header length " + std::to_string(length), "header length at byte 0",
              [&](TinyHub& h) { h.weights.header_length = length; });
  for (const uint64_t length : {0U, 1U, 2U, 7U, 100U})
    cases.add("header length " + std::to_string(length), "header at byte 8",
              [&](TinyHub& h) { h.weights.header_length = length; });
  const std::string valid = TinyHub::llama().weights.header_text();
  for (const std::string& header :
       {std::string("[]"), std::string("null"), std::string("\"a\""), " " + valid, "\xEF\xBB\xBF" + valid,
        valid + "x", valid.substr(0, valid.size() - 1), valid + valid, std::string("{"),
        "{\"a\":" + std::string(100, '['), "{" + std::string(100'000, '['), std::string("{\"a\":NaN}"),
        std::string("{\"a\xFF\":{}}"), std::string("{'a':1}")})
    cases.add("header " + header.substr(0, 40), "header at byte 8",
              [&](TinyHub& h) { h.weights.header = header; });
  for (const char* metadata : {"1", "null", "[]", "\"x\"", "{\"a\":1}", "{\"a\":null}", "{\"a\":{}}"})
    cases.add(std::string("__metadata__ ") + metadata, "__metadata__",
              [&](TinyHub& h) { h.weights.metadata = metadata; });
  cases.add("duplicate tensor", "header at byte 8",
            [](TinyHub& h) { h.weights.tensors.push_back(h.tensor(kTensor)); });
  cases.add("a million and one tensors", "header at byte 8", [](TinyHub& h) {
    std::string header = "{";
    for (int i = 0; i <= 1'000'000; ++i) header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
    h.weights.header = header + "}";
  });
}

void add_entries(HubCases& cases) {
  const auto with = [&](const std::string& json) {
    cases.add("entry " + json.substr(0, 60), kTensor, [&](TinyHub& h) { h.tensor(kTensor).json = json; });
  };
  for (const char* json : {"1", "null", "[]", "\"x\"", "{}", "true"}) with(json);
  const std::string dtype = "\"dtype\":\"BF16\"", shape = "\"shape\":[8,8]",
                    offsets = "\"data_offsets\":[2304,2432]";
  with("{" + shape + "," + offsets + "}");
  with("{" + dtype + "," + offsets + "}");
  with("{" + dtype + "," + shape + "}");
  for (const char* bad : {"1", "null", "\"\"", "\"bf16\"", "\"F128\"", "\"Q4_0\"", "\"BF16 \"", "[\"BF16\"]"})
    with("{\"dtype\":" + std::string(bad) + "," + shape + "," + offsets + "}");
  for (const char* bad : {"8",
                          "null",
                          "{}",
                          "\"8,8\"",
                          "[-8,8]",
                          "[8.5,8]",
                          "[\"8\",8]",
                          "[null]",
                          "[1e30,8]",
                          "[[8,8]]",
                          "[9223372036854775807,8]",
                          "[18446744073709551615,8]",
                          "[4294967296,4294967296]",
                          "[1,1,1,1,1,1,1,8,8]",
                          "[]",
                          "[8]",
                          "[8,8,8]",
                          "[0,8]",
                          "[7,8]",
                          "[9,8]"})
    with("{" + dtype + ",\"shape\":" + bad + "," + offsets + "}");
  std::string many = "[8,8";
  for (int i = 0; i < 1000; ++i) many += ",1";
  with("{" + dtype + ",\"shape\":" + many + "]," + offsets + "}");
  for (const char* bad :
       {"8", "null", "{}", "[]", "[2304]", "[2304,2432,2432]", "[2432,2304]", "[-128,0]", "[2304.5,2432.5]",
        "[\"2304\",\"2432\"]", "[2304,2431]", "[2304,2433]", "[0,9223372036854775807]", "[100000,100128]",
        "[18446744073709551488,18446744073709551615]", "[18446744073709551615,127]", "[1e3,2e3]"})
    with("{" + dtype + "," + shape + ",\"data_offsets\":" + bad + "}");
  cases.add("a tensor at the place of another", "model", [](TinyHub& h) {
    h.tensor(kTensor).json = R"({"dtype":"BF16","shape":[8,8],"data_offsets":[0,128]})";
  });
  cases.add("a hole", "model.norm.weight", [](TinyHub& h) { h.weights.gap_before_last = 8; });
  for (const uint64_t trailing : {1U, 8U, 4096U})
    cases.add(std::to_string(trailing) + " trailing bytes", "byte",
              [&](TinyHub& h) { h.weights.trailing = trailing; });
  cases.add("half bytes", kTensor, [](TinyHub& h) {
    h.tensor(kTensor).json = R"({"dtype":"F4","shape":[3,3],"data_offsets":[2304,2308]})";
  });
}

void add_names(HubCases& cases) {
  for (const std::string& name : {std::string(""), std::string("a\\u0000b"), std::string(2000, 'n')})
    cases.add("tensor name of " + std::to_string(name.size()) + " bytes", "tensor",
              [&](TinyHub& h) { h.weights.tensors.push_back({name, "F32", {1}}); });
  for (const char* name :
       {"something.else", "model.layers.2.self_attn.q_proj.weight", "model.layers.9.mlp.up_proj.weight",
        "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.q_norm.weight",
        "model.layers.00.mlp.up_proj.weight", "model.layers.-1.mlp.up_proj.weight",
        "layers.0.mlp.up_proj.weight", "model.layers.4294967296.mlp.up_proj.weight", "blk.0.attn_q.weight",
        "model.layers.0.mlp.experts.0.up_proj.weight"})
    cases.add(std::string("left over: ") + name, name,
              [&](TinyHub& h) { h.weights.tensors.push_back({name, "BF16", {8}}); });
}

void add_tensors(HubCases& cases) {
  for (const TinyHubTensor& tensor : TinyHub::llama().weights.tensors) {
    const std::string name = tensor.name;
    cases.add("no " + name, name, [&](TinyHub& h) { h.erase_tensor(name); });
    cases.add(name + " with a column more", name, [&](TinyHub& h) { ++h.tensor(name).shape.back(); });
    cases.add(name + " with a dimension more", name,
              [&](TinyHub& h) { h.tensor(name).shape.insert(h.tensor(name).shape.begin(), 2); });
    for (const char* dtype : {"I32", "U8", "F8_E4M3", "F64", "BOOL"})
      cases.add(name + " as " + dtype, name, [&](TinyHub& h) { h.tensor(name).dtype = dtype; });
  }
  cases.add("a scalar", kTensor, [](TinyHub& h) { h.tensor(kTensor).shape.clear(); });
  cases.add("an empty tensor", kTensor, [](TinyHub& h) { h.tensor(kTensor).shape = {0, 8}; });
}

void add_index(HubCases& cases) {
  const std::string index = "model.safetensors.index.json", second = "model-00002-of-00002.safetensors";
  const auto with = [&](std::string what, std::string named, auto change) {
    Files files = TinyHub::llama().sharded();
    change(files);
    cases.add_files("index: " + what, std::move(named), std::move(files));
  };
  for (const char* text :
       {"[]", "{}", "null", "{\"weight_map\":1}", "{\"weight_map\":[]}", "{\"weight_map\":{}}"})
    with(text, "weight_map", [&](Files& f) { f[index] = text; });
  for (const char* text : {"{", "{\"weight_map\":{\"a\":", "\xFF", "{} {}"})
    with(text, index, [&](Files& f) { f[index] = text; });
  for (const char* file : {"1", "null", "[]", "\"../model.safetensors\"", "\"/etc/passwd\"",
                           "\"a/b.safetensors\"", "\"..\"", "\"\"", "\".safetensors\"", "\"model.bin\"",
                           "\"a\\\\b.safetensors\"", "\"a\\u0000.safetensors\"", "\"./x.safetensors\""})
    with(std::string("file ") + file, "weight_map.a",
         [&](Files& f) { f[index] = "{\"weight_map\":{\"a\":" + std::string(file) + "}}"; });
  with("file of 300 characters", "weight_map.a", [&](Files& f) {
    f[index] = "{\"weight_map\":{\"a\":\"" + std::string(300, 'x') + ".safetensors\"}}";
  });
  with("a shard is missing", second, [&](Files& f) { f.erase(second); });
  with("a shard is empty", second, [&](Files& f) { f[second] = ""; });
  with("a tensor that no shard has", "extra", [&](Files& f) {
    f[index].insert(f[index].find("weight_map\":{") + 13, "\"extra\":\"" + second + "\",");
  });
  with("a tensor that the index does not know", "model.morn.weight", [&](Files& f) {
    const size_t at = f[index].find("\"model.norm.weight");
    f[index].replace(at, 18, "\"model.morn.weight");
  });
  with("shards swapped", "model",
       [&](Files& f) { std::swap(f[second], f["model-00001-of-00002.safetensors"]); });
  with("one tensor in both shards", "header at byte 8",
       [&](Files& f) { f[second] = f["model-00001-of-00002.safetensors"]; });
  cases.add_files("no weights at all", "model.safetensors",
                  {{"config.json", TinyHub::llama().config_text()}});
}

}  // namespace

std::vector<MalformedFolder> safetensors_cases() {
  HubCases cases;
  add_headers(cases);
  add_entries(cases);
  add_names(cases);
  add_tensors(cases);
  add_index(cases);
  return cases.take();
}

}  // namespace baleen::test
