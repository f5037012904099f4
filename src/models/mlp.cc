#include "models/mlp.h"

#include <algorithm>

namespace baleen {

void Mlp::multiply_add(const Pass& pass, Rows h, Rows x) const {
  const ScratchScope scope(pass.scratch);
  const auto [g, u] = Linear::multiply_all<2>(pass, h, {&gate, &up});  // 2 x [rows, ffn]
  for_each_row(pass, g.count, [&](int64_t row) { pass.kernels().silu_mul(g.row(row), u.row(row), g.width); });
  down.multiply_add(pass, g, x);
}

size_t Mlp::scratch_bytes(const Compute& compute, int64_t rows) const {
  const int64_t ffn = gate.weights().rows(), dim = gate.weights().cols();
  return 2 * rows_bytes(rows, ffn) +
         multiply_scratch_bytes(compute, {.rows = rows, .cols = std::max(ffn, dim)});
}

int64_t Mlp::packed_bytes() const {
  return static_cast<int64_t>(gate.weights().bytes() + up.weights().bytes() + down.weights().bytes());
}

void Mlp::add_cost(ModelCost& cost) const {
  for (const Linear* linear : {&gate, &up, &down}) linear->add_cost(cost);
}

}  // namespace baleen
