// Scales of FP8 weights, which folders have beside each matrix: NAME.weight_scale_inv of NAME.weight.
#pragma once

#include <vector>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "formats/hub_params.h"

namespace baleen {

/// Takes the scales out of `tensors` (sorted by name) into their matrices. bad_input for a matrix without scales, and
/// for scales without a matrix, of another shape than `blocks` asks for or of a type that holds none.
Result<void> attach_scales(WeightBlocks blocks, std::vector<Tensor>& tensors);

}  // namespace baleen
