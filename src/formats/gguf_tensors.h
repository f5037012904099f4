// The tensors that a checkpoint has as a GGUF file: of a folder, experts become stacks, and the two halves of kv_b
// become tensors of their own.
#pragma once

#include <vector>

#include "formats/checkpoint.h"

namespace baleen {

struct GgufTensor {
  enum class Made {
    as_it_is,       ///< the rows of `parts`, one part behind the other
    latent_keys,    ///< kv_b's rows of keys, each head's transposed: [heads, kv_rank, nope]
    latent_values,  ///< kv_b's rows of values: [heads, value_dim, kv_rank]
  };

  Tensor tensor;  ///< name, shape, and the first part's type; no bytes
  Made made = Made::as_it_is;
  std::vector<const Tensor*> parts;  ///< of the checkpoint
};

/// Sorted by name. Prediction blocks are left out.
std::vector<GgufTensor> gguf_tensors(const Checkpoint& checkpoint);

}  // namespace baleen
