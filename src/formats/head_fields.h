// The shape of attention, read and checked alike whatever the fields are called.
#pragma once

#include <string_view>

#include "formats/fields.h"
#include "formats/hyper_parameters.h"

namespace baleen {

struct HeadKeys {
  std::string_view heads, kv_heads, key_dim, value_dim;  ///< value_dim empty: values are as wide as keys
};

/// Fills heads, kv_heads (absent: heads), key_dim (absent: dim / heads) and value_dim (absent: key_dim).
/// params.dim must be known. Errors are recorded in `fields`.
void read_heads(Fields& fields, const HeadKeys& keys, HyperParameters& params);

}  // namespace baleen
