// Which experts a token goes to, and what their answers weigh: DeepSeekMoE's gates (arXiv 2405.04434, 2412.19437).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "formats/hyper_parameters.h"

namespace baleen {

class Router {
 public:
  Router() = default;
  /// `bias` [count] is added for choosing only; empty where the model has none.
  Router(const ExpertParameters& parameters, std::vector<float> bias)
      : parameters_(parameters), bias_(std::move(bias)) {}

  int32_t count() const { return parameters_.count; }
  int32_t used() const { return parameters_.used; }
  /// Turns a token's `logits` [count] into scores in place and chooses: experts [used] ascending, their weights [used].
  /// Of equal scores the expert with the lower index wins. `ranks` is scratch [rank_count()].
  void choose(float* logits, float* ranks, int32_t* experts, float* weights) const;
  int32_t rank_count() const { return parameters_.count + parameters_.groups; }

 private:
  void gate(float* scores) const;
  void drop_groups(float* ranks, float* group_ranks) const;
  void weigh(const float* scores, const int32_t* experts, float* weights) const;

  ExpertParameters parameters_;
  std::vector<float> bias_;
};

}  // namespace baleen
