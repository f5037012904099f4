#include "models/norm.h"

#include <array>
#include <cmath>

#include "base/check.h"

namespace baleen {
namespace {

/// Sum of term(i): element i in lane i mod 16, then the fixed tree (docs/NUMERICS.md, "Row sums").
template <class Term>
float row_sum(int64_t width, const Term& term) {
  std::array<float, 16> lanes{};
  for (int64_t i = 0; i < width; ++i) lanes[static_cast<size_t>(i % 16)] += term(i);
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

}  // namespace

Rows rms_norm(const Pass& pass, Rows x, RowNorm norm) {
  CHECK(static_cast<int64_t>(norm.weight.size()) == x.width);
  const Rows out = pass.take_rows(x.count, x.width);
  for_each_row(pass, x.count, [&](int64_t row) {
    pass.kernels().rms_norm(x.row(row), norm.weight.data(), x.width, norm.eps, out.row(row));
  });
  return out;
}

void rms_norm_front(const Pass& pass, Rows x, const std::vector<float>& weight, float eps) {
  const auto width = static_cast<int64_t>(weight.size());
  CHECK(width <= x.width);
  for_each_row(pass, x.count, [&](int64_t row) {
    pass.kernels().rms_norm(x.row(row), weight.data(), width, eps, x.row(row));
  });
}

void rms_norm_heads(const Pass& pass, Rows x, const std::vector<float>& weight, float eps) {
  const auto head_dim = static_cast<int64_t>(weight.size());
  CHECK(head_dim > 0 && x.width % head_dim == 0);
  for_each_row(pass, x.count, [&](int64_t row) {
    for (float* head = x.row(row); head != x.row(row) + x.width; head += head_dim)
      pass.kernels().rms_norm(head, weight.data(), head_dim, eps, head);
  });
}

void layer_norm(const Pass& pass, Rows x, const std::vector<float>& weight, const std::vector<float>& bias) {
  constexpr float kEps = 1e-6f;
  CHECK(static_cast<int64_t>(weight.size()) == x.width && bias.size() == weight.size());
  for_each_row(pass, x.count, [&](int64_t row) {
    float* const values = x.row(row);
    const auto width = static_cast<float>(x.width);
    const float mean = row_sum(x.width, [&](int64_t i) { return values[i]; }) / width;
    const float variance =
        row_sum(x.width, [&](int64_t i) { return (values[i] - mean) * (values[i] - mean); }) / width;
    const float deviation = std::sqrt(variance + kEps);
    for (int64_t i = 0; i < x.width; ++i)
      values[i] =
          (values[i] - mean) / deviation * weight[static_cast<size_t>(i)] + bias[static_cast<size_t>(i)];
  });
}

}  // namespace baleen
