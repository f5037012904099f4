// Mixture of experts in place of the MLP (DeepSeekMoE, arXiv 2401.06066): each token goes to a few of many small MLPs.
// Only the weights of experts that some token chose are read.
#pragma once

#include <vector>

#include "models/mlp.h"
#include "models/router.h"

namespace baleen {

struct Moe {
  Linear gate;  ///< the router's: [experts, dim]
  Router router;
  std::vector<Mlp> experts;
  Mlp shared;  ///< of every token; empty where has_shared is false
  bool has_shared = false;

  /// x += shared(h) + sum over the chosen experts of weight * expert(h), in order of the experts' indexes.
  void multiply_add(const Pass& pass, Rows h, Rows x) const;
  /// Of scratch that multiply_add() takes for so many rows.
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;

  void add_cost(ModelCost& cost) const;
};

}  // namespace baleen
