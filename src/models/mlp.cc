#include "models/mlp.h"

#include <algorithm>

namespace baleen {

Product Mlp::inner(Rows out) const { return {.factor = gate.factor(), .out = out, .up = up.factor()}; }

void Mlp::multiply_add(const Pass& pass, RowNorm norm, Rows x) const {
  const ScratchScope scope(pass.scratch);
  const Rows hidden = pass.take_rows(x.count, gate.weights().rows());
  const Product product = inner(hidden);
  multiply(pass.compute, x, {&product, 1}, pass.scratch, norm);
  down.multiply_add(pass, hidden, x);
}

size_t Mlp::scratch_bytes(const Compute& compute, int64_t rows) const {
  const int64_t ffn = gate.weights().rows(), dim = gate.weights().cols();
  return rows_bytes(rows, ffn) + multiply_scratch_bytes(compute, {.rows = rows, .cols = std::max(ffn, dim)});
}

int64_t Mlp::packed_bytes() const {
  return static_cast<int64_t>(gate.weights().bytes() + up.weights().bytes() + down.weights().bytes());
}

void Mlp::add_cost(ModelCost& cost) const {
  for (const Linear* linear : {&gate, &up, &down}) linear->add_cost(cost);
}

}  // namespace baleen
