// A small valid GGUF model built in memory, as parts that a test can change before they become bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_metadata.h"

namespace baleen::test {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}
/// With its length in front, as GGUF writes it.
inline std::string gguf_string(std::string_view text) {
  return raw<uint64_t>(text.size()) + std::string(text);
}

struct TinyEntry {
  std::string key;
  uint32_t type = 0;
  std::string value;  ///< as in the file
};

struct TinyTensor {
  std::string name;
  std::vector<uint64_t> dimensions;     ///< columns first
  uint32_t type = 0;                    ///< f32
  std::optional<uint64_t> offset = {};  ///< else the next aligned one
  std::string data = {};                ///< as in the file; else zeros
  uint64_t bytes() const;               ///< of data that to_bytes() writes
};

/// Of TinyGguf::deepseek2(). Heads have keys of nope + rope, and values of nope dimensions.
struct DeepseekSizes {
  uint32_t dim = 8, ffn = 16, vocab = 20, heads = 2, q_rank = 6, kv_rank = 4, nope = 4, rope = 2;
  uint32_t experts = 4, expert_ffn = 4;
};

/// llama, 2 layers, dim 8, 2 heads of 4, 1 KV head, ffn 16; byte-level BPE of 256 bytes, one merge, two
/// control tokens.
struct TinyGguf {
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> tensor_count, entry_count;  ///< else what is there
  uint64_t alignment = 32;
  std::vector<TinyEntry> entries;
  std::vector<TinyTensor> tensors;

  static TinyGguf llama();
  static TinyGguf llama_sentencepiece();
  /// Like TinyHub::deepseek(), in F32 and without indexer: keys and values of the latents apart, no vocabulary.
  static TinyGguf deepseek2();
  static TinyGguf deepseek2_of(const DeepseekSizes& sizes);
  /// With keys and values in one tensor, as files from before attn_k_b.
  static TinyGguf deepseek2_older();
  /// With an indexer.
  static TinyGguf deepseek32();
  /// Like TinyHub::qwen3_moe(), in F32, without a vocabulary.
  static TinyGguf qwen3moe();

  TinyEntry& entry(std::string_view key);
  TinyTensor& tensor(std::string_view name);
  void erase_entry(std::string_view key);
  void erase_tensor(std::string_view name);
  void set_u32(std::string key, uint32_t value) { set({std::move(key), 4, raw(value)}); }
  void set_f32(std::string key, float value) { set({std::move(key), 6, raw(value)}); }
  void set_bool(std::string key, uint8_t value) { set({std::move(key), 7, raw(value)}); }
  void set_text(std::string key, std::string_view value) { set({std::move(key), 8, gguf_string(value)}); }
  void set_texts(std::string key, const std::vector<std::string>& values);
  template <class T>
  void set_numbers(std::string key, GgufType element, const std::vector<T>& values) {
    std::string value = raw(static_cast<uint32_t>(element)) + raw<uint64_t>(values.size());
    for (T each : values) value += raw(each);
    set({std::move(key), 9, std::move(value)});
  }
  void set(TinyEntry entry);  ///< replaces one of the same key

  std::string to_bytes() const;
};

/// A folder that goes away with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(std::string_view name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace baleen::test
