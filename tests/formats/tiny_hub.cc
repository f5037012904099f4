#include "formats/tiny_hub.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace baleen::test {
namespace {

uint64_t bits_of(std::string_view dtype) {
  if (dtype.ends_with("64")) return 64;
  if (dtype.ends_with("32")) return 32;
  if (dtype.ends_with("16")) return 16;
  return dtype == "F4" ? 4 : 8;
}

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

}  // namespace

uint64_t TinyHubTensor::bytes() const {
  uint64_t bits = bits_of(dtype);
  for (uint64_t size : shape) bits *= size;
  return bits / 8 < (1 << 20) ? bits / 8 : 0;  // sizes that lie are not written
}

std::string TinySafetensors::header_text() const {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + metadata;
  uint64_t offset = 0;
  for (const TinyHubTensor& tensor : tensors) {
    if (&tensor == &tensors.back()) offset += gap_before_last;
    if (text.size() > 1) text += ',';
    const uint64_t end = offset + tensor.bytes();
    std::string shape;
    for (uint64_t size : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(size);
    text += in_quotes(tensor.name) + ":" +
            tensor.json.value_or("{\"dtype\":" + in_quotes(tensor.dtype) + ",\"shape\":[" + shape +
                                 "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) +
                                 "]}");
    offset = end;
  }
  return text + "}";
}

std::string TinySafetensors::to_bytes() const {
  const std::string text = header.value_or(header_text());
  uint64_t data = gap_before_last + trailing;
  for (const TinyHubTensor& tensor : tensors) data += tensor.bytes();
  return raw<uint64_t>(header_length.value_or(text.size())) + text + std::string(data, '\0');
}

TinyHub TinyHub::llama() {
  TinyHub hub;
  hub.config = {{"model_type", "\"llama\""},
                {"hidden_size", "8"},
                {"intermediate_size", "16"},
                {"num_hidden_layers", "2"},
                {"num_attention_heads", "2"},
                {"num_key_value_heads", "1"},
                {"max_position_embeddings", "64"},
                {"vocab_size", "20"},
                {"rms_norm_eps", "1e-05"},
                {"rope_theta", "10000.0"},
                {"tie_word_embeddings", "false"},
                {"bos_token_id", "1"},
                {"eos_token_id", "2"},
                {"hidden_act", "\"silu\""},
                {"torch_dtype", "\"bfloat16\""},
                {"attention_bias", "false"}};
  const auto add = [&](std::string name, std::vector<uint64_t> shape) {
    hub.weights.tensors.push_back({std::move(name), "BF16", std::move(shape)});
  };
  add("lm_head.weight", {20, 8});
  add("model.embed_tokens.weight", {20, 8});
  for (int layer = 0; layer < 2; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    add(prefix + "input_layernorm.weight", {8});
    add(prefix + "mlp.down_proj.weight", {8, 16});
    add(prefix + "mlp.gate_proj.weight", {16, 8});
    add(prefix + "mlp.up_proj.weight", {16, 8});
    add(prefix + "post_attention_layernorm.weight", {8});
    add(prefix + "self_attn.k_proj.weight", {4, 8});
    add(prefix + "self_attn.o_proj.weight", {8, 8});
    add(prefix + "self_attn.q_proj.weight", {8, 8});
    add(prefix + "self_attn.v_proj.weight", {4, 8});
  }
  add("model.norm.weight", {8});
  return hub;
}

TinyHubTensor& TinyHub::tensor(std::string_view name) {
  const auto found = std::ranges::find(weights.tensors, name, &TinyHubTensor::name);
  if (found == weights.tensors.end()) throw std::out_of_range(std::string(name));
  return *found;
}

void TinyHub::erase_tensor(std::string_view name) {
  tensor(name);
  std::erase_if(weights.tensors, [&](const TinyHubTensor& each) { return each.name == name; });
}

void TinyHub::set(std::string key, std::string json) {
  for (auto& [name, value] : config)
    if (name == key) {
      value = std::move(json);
      return;
    }
  config.emplace_back(std::move(key), std::move(json));
}

void TinyHub::erase(std::string_view key) {
  std::erase_if(config, [&](const auto& member) { return member.first == key; });
}

std::string TinyHub::config_text() const {
  std::string text = "{";
  for (const auto& [key, value] : config)
    text += (text.size() > 1 ? ", " : "") + in_quotes(key) + ": " + value;
  return text + "}";
}

Files TinyHub::files() const {
  Files all = others;
  all.try_emplace("config.json", config_text());
  all.try_emplace("model.safetensors", weights.to_bytes());
  return all;
}

Files TinyHub::sharded() const {
  TinySafetensors shards[2];
  const std::string names[2] = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"};
  std::string map;
  for (size_t i = 0; i < weights.tensors.size(); ++i) {
    shards[i % 2].tensors.push_back(weights.tensors[i]);
    map += (map.empty() ? "" : ",") + in_quotes(weights.tensors[i].name) + ":" + in_quotes(names[i % 2]);
  }
  Files all = others;
  all.try_emplace("config.json", config_text());
  all.try_emplace("model.safetensors.index.json", "{\"metadata\":{},\"weight_map\":{" + map + "}}");
  for (int i = 0; i < 2; ++i) all.try_emplace(names[i], shards[i].to_bytes());
  return all;
}

std::filesystem::path write_folder(const TemporaryFolder& parent, const Files& files) {
  const std::filesystem::path folder = parent.path() / "model";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  for (const auto& [name, bytes] : files)
    std::ofstream(folder / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return folder;
}

}  // namespace baleen::test
