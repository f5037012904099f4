#include "models/linear.h"

#include "base/check.h"

namespace baleen {

Rows Linear::multiply(const Pass& pass, Rows x) const { return multiply_all<1>(pass, x, {this})[0]; }

void Linear::multiply_add(const Pass& pass, Rows x, Rows sum) const {
  const Product product{weights_.get(), sum, Store::add};
  baleen::multiply(pass.compute, x, {&product, 1}, pass.scratch);
  add_bias(pass, sum);
}

void Linear::multiply_into(const Pass& pass, Rows x, float* out) const {
  if (x.count == 0) return;  // a prefill chunk that is not the last wants no logits
  const Product product{weights_.get(), {out, x.count, weights_->rows(), weights_->rows()}, Store::set};
  baleen::multiply(pass.compute, x, {&product, 1}, pass.scratch);
  add_bias(pass, product.out);
}

void Linear::add_bias(const Pass& pass, Rows out) const {
  if (bias_.empty()) return;
  CHECK(static_cast<int64_t>(bias_.size()) == out.width);
  for_each_row(pass, out.count,
               [&](int64_t row) { pass.kernels().add(bias_.data(), out.width, out.row(row)); });
}

}  // namespace baleen
