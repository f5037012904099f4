// The second half of a layer: one MLP, or a mixture of experts.
#pragma once

#include <string>
#include <variant>

#include "models/mlp.h"
#include "models/moe.h"
#include "models/weight_loader.h"

namespace baleen {

class FeedForward {
 public:
  FeedForward() = default;
  /// The layer's, by GGUF's names: of experts behind the leading dense layers of a model that has experts.
  static FeedForward load(WeightLoader& loader, int32_t layer);

  /// x += what the block makes of norm(x) [rows, dim].
  void multiply_add(const Pass& pass, RowNorm norm, Rows x) const;
  /// Of scratch that multiply_add() takes for so many rows.
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;
  void add_cost(ModelCost& cost) const;

 private:
  std::variant<Mlp, Moe> block_;
};

}  // namespace baleen
