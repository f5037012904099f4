// A weight matrix and what it does to rows.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/check.h"
#include "kernels/packed_matrix.h"
#include "models/pass.h"

namespace baleen {

class Linear {
 public:
  Linear() = default;
  /// `bias` is empty or as long as the matrix has rows.
  Linear(std::shared_ptr<const PackedMatrix> weights, std::vector<float> bias)
      : weights_(std::move(weights)), bias_(std::move(bias)) {
    CHECK(bias_.empty() || static_cast<int64_t>(bias_.size()) == weights_->rows());
  }

  const PackedMatrix& weights() const { return *weights_; }
  Factor factor() const { return {weights_.get(), bias_.empty() ? nullptr : bias_.data()}; }
  const std::shared_ptr<const PackedMatrix>& shared_weights() const { return weights_; }
  int64_t macs() const { return weights_->rows() * weights_->cols(); }  ///< per row
  int64_t parameters() const { return macs() + static_cast<int64_t>(bias_.size()); }
  void add_cost(ModelCost& cost) const;  ///< of a matrix that every token is multiplied with

  /// x [rows, cols] -> [rows, out].
  Rows multiply(const Pass& pass, Rows x) const;
  /// sum [rows, out] += product.
  void multiply_add(const Pass& pass, Rows x, Rows sum) const;
  /// Into memory of the caller's: out [rows, out].
  void multiply_into(const Pass& pass, Rows x, RowNorm norm, float* out) const;

  /// Several matrices with one input: out[i] = x * linear[i], the input quantised once.
  template <size_t kCount>
  static std::array<Rows, kCount> multiply_all(const Pass& pass, Rows x,
                                               const std::array<const Linear*, kCount>& linears,
                                               RowNorm norm = {});

 private:
  std::shared_ptr<const PackedMatrix> weights_;
  std::vector<float> bias_;
};

/// x [rows, heads * cols] with each head's own matrix [out, cols] -> [rows, heads * out]. `out` may be wider: a head's
/// numbers begin every out.width / heads.
void multiply_heads(const Pass& pass, std::span<const Linear> heads, Rows x, Rows out);
/// Of scratch that multiply_heads() takes.
size_t multiply_heads_scratch_bytes(const Compute& compute, std::span<const Linear> heads, int64_t rows);

template <size_t kCount>
std::array<Rows, kCount> Linear::multiply_all(const Pass& pass, Rows x,
                                              const std::array<const Linear*, kCount>& linears,
                                              RowNorm norm) {
  std::array<Rows, kCount> out;
  std::array<Product, kCount> products;
  for (size_t i = 0; i < kCount; ++i) {
    out[i] = pass.take_rows(x.count, linears[i]->weights().rows());
    products[i] = {linears[i]->factor(), out[i]};
  }
  baleen::multiply(pass.compute, x, products, pass.scratch, norm);
  return out;
}

}  // namespace baleen
