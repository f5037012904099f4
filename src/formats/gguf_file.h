// One GGUF file, taken apart: metadata and the tensor table, each size and offset checked against the file.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "formats/checkpoint.h"
#include "formats/gguf_metadata.h"

namespace baleen {

struct GgufFile {
  GgufMetadata metadata;
  std::vector<Tensor> tensors;  ///< in the order of the file
  uint64_t table_offset = 0;    ///< of the tensor table in the file
  uint64_t header_bytes = 0;    ///< everything before the tensors' bytes

  /// `bytes` must outlive the result. bad_input names field or tensor and byte offset.
  static Result<GgufFile> parse(std::span<const std::byte> bytes);
};

}  // namespace baleen
