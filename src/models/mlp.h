// The gated feed-forward block, SwiGLU (arXiv 2002.05202).
#pragma once

#include "models/linear.h"

namespace baleen {

struct Mlp {
  Linear gate, up, down;  ///< [ffn, dim], [ffn, dim], [dim, ffn]

  /// x += down * (silu(gate * h) . (up * h)).
  void multiply_add(const Pass& pass, Rows h, Rows x) const;
  int64_t macs() const { return gate.macs() + up.macs() + down.macs(); }
};

}  // namespace baleen
