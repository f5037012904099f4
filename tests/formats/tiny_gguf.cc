#include "formats/tiny_gguf.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "base/block_type.h"
#include "formats/vocabulary_rules.h"

namespace baleen::test {

uint64_t TinyTensor::bytes() const {
  const auto info = find_block_type(type);
  if (!info) return 0;
  uint64_t values = 1;
  for (uint64_t size : dimensions) values *= size;
  const uint64_t bytes = values / static_cast<uint64_t>(info->values) * static_cast<uint64_t>(info->bytes);
  return bytes < (1 << 20) ? bytes : 0;  // sizes that lie are not written
}

void TinyGguf::set_texts(std::string key, const std::vector<std::string>& values) {
  std::string value = raw<uint32_t>(8) + raw<uint64_t>(values.size());
  for (const std::string& each : values) value += gguf_string(each);
  set({std::move(key), 9, std::move(value)});
}

void TinyGguf::set(TinyEntry entry) {
  const auto found = std::ranges::find(entries, entry.key, &TinyEntry::key);
  if (found == entries.end()) {
    entries.push_back(std::move(entry));
  } else {
    *found = std::move(entry);
  }
}

TinyEntry& TinyGguf::entry(std::string_view key) {
  const auto found = std::ranges::find(entries, key, &TinyEntry::key);
  if (found == entries.end()) throw std::out_of_range(std::string(key));
  return *found;
}

TinyTensor& TinyGguf::tensor(std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &TinyTensor::name);
  if (found == tensors.end()) throw std::out_of_range(std::string(name));
  return *found;
}

void TinyGguf::erase_entry(std::string_view key) {
  entry(key);
  std::erase_if(entries, [&](const TinyEntry& each) { return each.key == key; });
}

void TinyGguf::erase_tensor(std::string_view name) {
  tensor(name);
  std::erase_if(tensors, [&](const TinyTensor& each) { return each.name == name; });
}

namespace {

TinyGguf llama_without_vocabulary(uint64_t tokens) {
  TinyGguf file;
  file.set_text("general.architecture", "llama");
  file.set_text("general.name", "tiny");
  file.set_u32("llama.block_count", 2);
  file.set_u32("llama.context_length", 64);
  file.set_u32("llama.embedding_length", 8);
  file.set_u32("llama.feed_forward_length", 16);
  file.set_u32("llama.attention.head_count", 2);
  file.set_u32("llama.attention.head_count_kv", 1);
  file.set_f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  file.set_f32("llama.rope.freq_base", 10000);
  file.set_u32("llama.rope.dimension_count", 4);
  file.set_u32("llama.vocab_size", static_cast<uint32_t>(tokens));
  file.tensors = {
      {"token_embd.weight", {8, tokens}}, {"output_norm.weight", {8}}, {"output.weight", {8, tokens}}};
  for (int layer = 0; layer < 2; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    for (const TinyTensor& tensor : std::vector<TinyTensor>{{blk + "attn_norm.weight", {8}},
                                                            {blk + "attn_q.weight", {8, 8}},
                                                            {blk + "attn_k.weight", {8, 4}},
                                                            {blk + "attn_v.weight", {8, 4}},
                                                            {blk + "attn_output.weight", {8, 8}},
                                                            {blk + "ffn_norm.weight", {8}},
                                                            {blk + "ffn_gate.weight", {8, 16}},
                                                            {blk + "ffn_up.weight", {8, 16}},
                                                            {blk + "ffn_down.weight", {16, 8}}})
      file.tensors.push_back(tensor);
  }
  return file;
}

}  // namespace

TinyGguf TinyGguf::llama() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(byte_letter(static_cast<uint8_t>(byte)));
  tokens.insert(tokens.end(), {"he", "<|im_start|>", "<|im_end|>", "<|endoftext|>"});
  std::vector<int32_t> types(tokens.size(), 1);
  std::fill(types.end() - 3, types.end(), 3);
  TinyGguf file = llama_without_vocabulary(tokens.size());
  file.set_text("tokenizer.ggml.model", "gpt2");
  file.set_text("tokenizer.ggml.pre", "gpt-2");
  file.set_texts("tokenizer.ggml.tokens", tokens);
  file.set_numbers("tokenizer.ggml.token_type", GgufType::i32, types);
  file.set_texts("tokenizer.ggml.merges", {"h e"});
  file.set_u32("tokenizer.ggml.bos_token_id", 257);
  file.set_u32("tokenizer.ggml.eos_token_id", 258);
  file.set_bool("tokenizer.ggml.add_bos_token", 0);
  file.set_text("tokenizer.chat_template",
                "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}");
  return file;
}

TinyGguf TinyGguf::llama_sentencepiece() {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<int32_t> types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte)
    tokens.push_back(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">");
  types.resize(tokens.size(), 6);
  tokens.insert(tokens.end(), {"\u2581", "a", "\u2581a"});
  types.resize(tokens.size(), 1);
  TinyGguf file = llama_without_vocabulary(tokens.size());
  file.set_text("tokenizer.ggml.model", "llama");
  file.set_texts("tokenizer.ggml.tokens", tokens);
  file.set_numbers("tokenizer.ggml.token_type", GgufType::i32, types);
  file.set_numbers("tokenizer.ggml.scores", GgufType::f32, std::vector<float>(tokens.size(), -1));
  file.set_u32("tokenizer.ggml.bos_token_id", 1);
  file.set_u32("tokenizer.ggml.eos_token_id", 2);
  return file;
}

std::string TinyGguf::to_bytes() const {
  std::string out = magic + raw(version) + raw<uint64_t>(tensor_count.value_or(tensors.size())) +
                    raw<uint64_t>(entry_count.value_or(entries.size()));
  for (const TinyEntry& each : entries) out += gguf_string(each.key) + raw(each.type) + each.value;
  std::string data;
  for (const TinyTensor& each : tensors) {
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    out += gguf_string(each.name) + raw(static_cast<uint32_t>(each.dimensions.size()));
    for (uint64_t size : each.dimensions) out += raw(size);
    out += raw(each.type) + raw<uint64_t>(each.offset.value_or(data.size()));
    if (each.offset) continue;
    data += each.data;
    data.resize(data.size() + std::max<uint64_t>(each.bytes(), each.data.size()) - each.data.size());
  }
  out.resize((out.size() + alignment - 1) / alignment * alignment);
  return out + data;
}

TemporaryFolder::TemporaryFolder() {
  // In memory where the system offers that: thousands of files are written and cut.
  const std::filesystem::path memory = "/dev/shm";
  const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "baleen-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TemporaryFolder::write(std::string_view name, std::string_view bytes) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace baleen::test
