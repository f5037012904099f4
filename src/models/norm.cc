#include "models/norm.h"

#include "base/check.h"

namespace baleen {

Rows rms_norm(const Pass& pass, Rows x, const std::vector<float>& weight, float eps) {
  CHECK(static_cast<int64_t>(weight.size()) == x.width);
  const Rows out = pass.take_rows(x.count, x.width);
  for_each_row(pass, x.count, [&](int64_t row) {
    pass.kernels().rms_norm(x.row(row), weight.data(), x.width, eps, out.row(row));
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

}  // namespace baleen
