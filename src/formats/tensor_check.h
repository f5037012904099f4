// Tensors against what the architecture says of them.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "formats/architecture.h"
#include "formats/checkpoint.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// `tensors` are sorted by name. bad_input for a missing tensor, one of another shape or of a type that is no
/// weight, and one that the architecture does not have. `table` says where tensors are listed: "tensor table
/// at byte 812".
Result<void> check_tensors(std::span<const Tensor> tensors, const Architecture& architecture,
                           const HyperParameters& params, std::string_view table);

/// Null where there is none. `tensors` are sorted by name.
const Tensor* find_tensor(std::span<const Tensor> tensors, std::string_view name);

}  // namespace baleen
