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
#include "formats/gguf_writer.h"

namespace baleen {

struct QuantizeReport {
  uint64_t bytes_before = 0, bytes_after = 0;   ///< of all tensors
  int64_t encoded = 0;                          ///< tensors now of the type asked for
  std::vector<std::string> fallen_back, finer;  ///< weight_types.h
};

/// What is encoded, and as what.
struct QuantizeJob {
  const Checkpoint& checkpoint;
  BlockType type;
  void (*progress)(double) = nullptr;  ///< the share of the bytes done, in [0, 1]
};

/// Tensors become what weight_types.h says, rows of q and k in the order of the architecture's GGUF files. `writer` has
/// the metadata (formats/gguf_export.h); what follows from the type is added. wrong_usage for a type that cannot be
/// encoded, failed where the disk refuses.
Result<QuantizeReport> quantize(const QuantizeJob& job, GgufWriter& writer, const std::filesystem::path& out,
                                ThreadPool& pool);

}  // namespace baleen
