#include "formats/head_fields.h"

#include <fmt/format.h>

#include "formats/parameter_limits.h"

namespace baleen {

void read_heads(Fields& fields, const HeadKeys& keys, HyperParameters& params) {
  params.heads = fields.integer(keys.heads, kHeadRange);
  params.kv_heads = fields.integer(keys.kv_heads, kHeadRange, params.heads);
  if (!fields.status()) return;
  if (params.heads % params.kv_heads != 0)
    fields.fail(keys.kv_heads,
                fmt::format("is {}, which does not divide the {} heads", params.kv_heads, params.heads));
  const bool stated = fields.has(keys.key_dim);
  if (!stated && params.dim % params.heads != 0)
    fields.fail(keys.heads,
                fmt::format("is {}, which does not divide the width {}", params.heads, params.dim));
  params.key_dim = fields.integer(keys.key_dim, kHeadDimRange, params.dim / params.heads);
  params.value_dim =
      keys.value_dim.empty() ? params.key_dim : fields.integer(keys.value_dim, kHeadDimRange, params.key_dim);
  if (params.key_dim % 2 != 0 || params.key_dim < kHeadDimRange.least)
    fields.fail(stated ? keys.key_dim : keys.heads,
                fmt::format("heads of {} dimensions, which rope cannot turn in pairs", params.key_dim));
}

}  // namespace baleen
