// The shape of a mixture of experts, read and checked alike whatever the fields are called.
#pragma once

#include <string_view>

#include "formats/fields.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// An empty key: the file never says it, and what ExpertParameters begins with holds.
struct ExpertKeys {
  std::string_view count, used, ffn_dim, shared = {}, leading_dense = {}, groups = {}, groups_used = {},
                                         weight_scale = {}, normalise = {};
};

/// Fills what the keys stand for. `params.layers`, `gate`, `group_score`, `selection_bias` and the default of
/// `normalise_weights` must be known. Errors are recorded in `fields`.
void read_experts(Fields& fields, const ExpertKeys& keys, HyperParameters& params);

}  // namespace baleen
