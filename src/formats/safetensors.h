// One safetensors file (https://github.com/huggingface/safetensors, "Format"): its header checked against the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"

namespace baleen {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;              ///< "BF16"
  std::optional<BlockType> type;  ///< nothing for a dtype that no tensor of ours has
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  uint64_t offset = 0;  ///< of the bytes in the file
};

struct SafetensorsFile {
  std::vector<SafetensorsEntry> entries;  ///< by offset
  uint64_t header_bytes = 0;              ///< everything before the tensors' bytes

  /// `bytes` must outlive the result. bad_input names the tensor and a byte offset. Refused: what contract.md lists
  /// (holes, trailing bytes, offsets that contradict shape and type …).
  static Result<SafetensorsFile> parse(std::span<const std::byte> bytes);
};

}  // namespace baleen
