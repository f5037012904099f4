// What every architecture offers; one file per architecture, found through the registry (registry.cc).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "formats/checkpoint.h"
#include "kernels/compute.h"
#include "kernels/workspace.h"
#include "kv/page_pool.h"

namespace baleen {

/// The rows of one forward pass: consecutive tokens of each of several sequences.
struct Step {
  struct Part {
    const PageTable* pages;  ///< already long enough for the new tokens
    int32_t first_row, rows;
    int32_t first_position;  ///< position of the part's first row
  };
  std::span<const int32_t> tokens;  ///< [rows]
  std::span<const Part> parts;
  std::span<const int32_t> wanted;  ///< rows whose logits are computed, ascending
};

/// Weights that a step reads, for bench and the ledger.
struct ModelCost {
  int64_t macs_per_token = 0;       ///< multiply-adds with weights
  int64_t macs_per_wanted_row = 0;  ///< more of them: the last layer behind its attention, the output matrix
  int64_t packed_bytes = 0;         ///< packed weights that every step reads
  int64_t routed_bytes = 0;         ///< packed weights of all routed experts
  int64_t parameters = 0, active_parameters = 0;

  void add_vectors(std::initializer_list<const std::vector<float>*> vectors);  ///< norms
  void only_wanted(const ModelCost& part);  ///< a part of what was added is not for every token
};

/// What depends on the step's tokens.
struct StepReport {
  int64_t routed_bytes = 0;  ///< packed weights of the routed experts that it read, each once
};

class Model {
 public:
  virtual ~Model() = default;
  /// logits: [wanted, vocab_rows]. Writes the rows' keys and values into their pages. Never fails, never
  /// allocates.
  virtual StepReport forward(const Step& step, PagePool& pool, Workspace& scratch, float* logits) const = 0;
  virtual KvLayout kv_layout(KvType type) const = 0;
  /// Workspace that forward() needs for a step of so many rows, of which so many are wanted.
  virtual size_t scratch_bytes(int64_t rows, int64_t wanted) const = 0;
  virtual const HyperParameters& params() const = 0;
  virtual ModelCost cost() const = 0;
};

/// wrong_usage where a sequence of so many tokens is more than the model's scratch is sized for: an indexer's is for
/// the context that the model was made for.
Result<void> check_positions(const HyperParameters& params, int64_t tokens);

struct LoadOptions {
  std::optional<BlockType>
      weights;  ///< what float matrices are encoded as (weight_types.h); nothing: as they are
  void (*progress)(double) = nullptr;  ///< the share that is loaded, in [0, 1]
};

/// failed where the weights, as they are loaded, are larger than the memory that is left.
Result<void> check_memory(const Checkpoint& checkpoint, const LoadOptions& options);

/// Packs the checkpoint's weights and releases its pages as it goes. bad_input for an architecture that is not in the
/// registry; else, before anything is loaded, what check_memory() says.
Result<std::unique_ptr<Model>> load_model(const Checkpoint& checkpoint, const Compute& compute,
                                          const LoadOptions& options = {});

}  // namespace baleen
