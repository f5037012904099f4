#include "models/linear.h"

namespace baleen {

Rows Linear::multiply(const Pass& pass, Rows x) const { return multiply_all<1>(pass, x, {this})[0]; }

void Linear::multiply_add(const Pass& pass, Rows x, Rows sum) const {
  const Product product{factor(), sum, Store::add};
  baleen::multiply(pass.compute, x, {&product, 1}, pass.scratch);
}

void Linear::multiply_into(const Pass& pass, Rows x, RowNorm norm, float* out) const {
  if (x.count == 0) return;  // a prefill chunk that is not the last wants no logits
  const Product product{factor(), {out, x.count, weights_->rows(), weights_->rows()}};
  baleen::multiply(pass.compute, x, {&product, 1}, pass.scratch, norm);
}

void Linear::add_cost(ModelCost& cost) const {
  cost.macs_per_token += macs();
  cost.parameters += parameters();
  cost.active_parameters += parameters();
  cost.packed_bytes += static_cast<int64_t>(weights_->bytes());
}

void multiply_heads(const Pass& pass, std::span<const Linear> heads, Rows x, Rows out) {
  const ScratchScope scope(pass.scratch);
  const auto count = static_cast<int64_t>(heads.size());
  auto* groups = pass.scratch.take<ProductGroup>(count);
  auto* products = pass.scratch.take<Product>(count);
  for (int64_t i = 0; i < count; ++i) {
    const Linear& head = heads[static_cast<size_t>(i)];
    const Rows from{x.data + i * (x.width / count), x.count, head.weights().cols(), x.stride};
    const Rows to{out.data + i * (out.width / count), out.count, head.weights().rows(), out.stride};
    products[i] = {head.factor(), to};
    groups[i] = {.x = from, .products = {&products[i], 1}};
  }
  multiply(pass.compute, {groups, heads.size()}, pass.scratch);
}

size_t multiply_heads_scratch_bytes(const Compute& compute, std::span<const Linear> heads, int64_t rows) {
  const auto count = static_cast<int64_t>(heads.size());
  return heads.size() * (sizeof(ProductGroup) + sizeof(Product)) + 2 * 64 +
         multiply_scratch_bytes(compute, {.rows = count * rows,
                                          .cols = heads.front().weights().cols(),
                                          .groups = count,
                                          .products = count});
}

}  // namespace baleen
