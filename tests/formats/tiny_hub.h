// A small valid Hugging Face folder as parts that a test can change before they become files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/tiny_gguf.h"

namespace baleen::test {

struct TinyHubTensor {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::optional<std::string> json =
      {};  ///< the header's whole value for it, instead of what follows from the above

  uint64_t bytes() const;
};

/// What one safetensors file says and holds.
struct TinySafetensors {
  std::vector<TinyHubTensor> tensors;
  std::string metadata = R"({"format":"pt"})";  ///< "" for none
  std::optional<std::string> header = {};       ///< instead of what follows from the tensors
  std::optional<uint64_t> header_length = {};
  uint64_t gap_before_last = 0, trailing = 0;  ///< bytes that no tensor owns

  std::string header_text() const;
  std::string to_bytes() const;
};

using Files = std::map<std::string, std::string>;

/// A folder's config.json and weights, BF16 in one file, 20 tokens.
struct TinyHub {
  std::vector<std::pair<std::string, std::string>> config;  ///< key, JSON text
  TinySafetensors weights;
  Files others;  ///< generation_config.json …; replaces what the parts above would write

  /// 2 layers, width 8, 2 heads of 4, 1 KV head, mlp 16.
  static TinyHub llama();
  /// DeepSeek V3.2: a dense layer, one of 4 experts in 2 groups and a prediction block; queries of rank 6, latents of
  /// rank 4, heads of 4 + 2, values of 4; projections in FP8 by blocks of 4 x 128 with scales in float32 and BF16.
  static TinyHub deepseek();
  /// Qwen3-MoE: llama() with norms of heads and 4 experts a layer.
  static TinyHub qwen3_moe();

  TinyHubTensor& tensor(std::string_view name);
  void erase_tensor(std::string_view name);
  void set(std::string key, std::string json);
  void erase(std::string_view key);
  std::string config_text() const;

  /// All files of the folder, weights in one.
  Files files() const;
  /// Weights dealt out in turn to two shards, with the index.
  Files sharded() const;
};

/// Writes the files into a folder inside `parent`; replaces what is there.
std::filesystem::path write_folder(const TemporaryFolder& parent, const Files& files);

}  // namespace baleen::test
