#include "models/mlp.h"

namespace baleen {

void Mlp::multiply_add(const Pass& pass, Rows h, Rows x) const {
  const auto [g, u] = Linear::multiply_all<2>(pass, h, {&gate, &up});  // 2 x [rows, ffn]
  for_each_row(pass, g.count,
               [&, g = g, u = u](int64_t row) { pass.kernels().silu_mul(g.row(row), u.row(row), g.width); });
  down.multiply_add(pass, g, x);
}

}  // namespace baleen
