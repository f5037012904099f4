// The gated feed-forward block, SwiGLU (arXiv 2002.05202).
#pragma once

#include "models/linear.h"

namespace baleen {

struct Mlp {
  Linear gate, up, down;  ///< [ffn, dim], [ffn, dim], [dim, ffn]

  /// x += down * (silu(gate * h) . (up * h)), h = norm(x).
  void multiply_add(const Pass& pass, RowNorm norm, Rows x) const;
  /// out = silu(gate * h) . (up * h), to be multiplied with h.
  Product inner(Rows out) const;
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;
  int64_t packed_bytes() const;
  void add_cost(ModelCost& cost) const;
};

}  // namespace baleen
