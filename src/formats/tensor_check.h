// Tensors against what the architecture says of them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/architecture.h"
#include "formats/checkpoint.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// The tensors of a checkpoint and how an error speaks of them.
struct TensorTable {
  std::span<const Tensor> tensors;                ///< sorted by name
  std::string_view place;                         ///< "tensor table at byte 812"
  std::string (*name_in_file)(std::string_view);  ///< of a tensor with this GGUF name
  bool experts_apart;                             ///< one tensor each, not in stacks
};

/// bad_input for a missing tensor, one of another shape or of a type that is no weight, and one that the architecture
/// does not have.
Result<void> check_tensors(const TensorTable& table, const Architecture& architecture,
                           const HyperParameters& params);

/// Null where there is none. `tensors` are sorted by name.
const Tensor* find_tensor(std::span<const Tensor> tensors, std::string_view name);

}  // namespace baleen
