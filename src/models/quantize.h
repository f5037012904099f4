// Re-encodes a checkpoint's weights and writes them as one GGUF file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "formats/checkpoint.h"

namespace baleen {

struct QuantizeReport {
  uint64_t bytes_before = 0, bytes_after = 0;   ///< of all tensors
  int64_t encoded = 0;                          ///< tensors now of the type asked for
  std::vector<std::string> fallen_back, finer;  ///< weight_types.h
};

/// Tensors become what weight_types.h says. wrong_usage for a type that cannot be encoded. `progress`: share of the
/// bytes done, in [0, 1]; may be null.
Result<QuantizeReport> quantize(const Checkpoint& checkpoint, const std::filesystem::path& out,
                                BlockType type, ThreadPool& pool, void (*progress)(double));

}  // namespace baleen
