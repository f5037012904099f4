#include "models/router.h"

#include <algorithm>
#include <limits>

#include "base/math.h"

namespace baleen {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float group_rank(const float* ranks, int32_t size, GroupScore score) {
  float first = -kInfinity, second = -kInfinity;
  for (int32_t i = 0; i < size; ++i) {
    second = std::max(second, std::min(first, ranks[i]));
    first = std::max(first, ranks[i]);
  }
  return score == GroupScore::best || size == 1 ? first : first + second;
}

/// Indexes of the `wanted` largest of `ranks` [count], ascending; of equal ones the first.
void choose_largest(const float* ranks, int32_t count, int32_t wanted, int32_t* chosen) {
  int32_t found = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (found == wanted && !(ranks[i] > ranks[chosen[found - 1]])) continue;
    if (found < wanted) ++found;
    int32_t at = found - 1;  // the worst goes, the better ones keep their order
    for (; at > 0 && ranks[i] > ranks[chosen[at - 1]]; --at) chosen[at] = chosen[at - 1];
    chosen[at] = i;
  }
  std::sort(chosen, chosen + wanted);
}

}  // namespace

/// In double, so that what decides between experts is rounded once.
void Router::gate(float* scores) const {
  const int32_t count = parameters_.count;
  if (parameters_.gate == ExpertGate::sigmoid) {
    for (int32_t i = 0; i < count; ++i)
      scores[i] = static_cast<float>(1 / (1 + portable_exp(-double{scores[i]})));
    return;
  }
  const double largest = *std::max_element(scores, scores + count);
  double sum = 0;
  for (int32_t i = 0; i < count; ++i) sum += portable_exp(scores[i] - largest);
  for (int32_t i = 0; i < count; ++i) scores[i] = static_cast<float>(portable_exp(scores[i] - largest) / sum);
}

/// Leaves the best groups: the worst one goes, the last of equals, until few enough are there.
void Router::drop_groups(float* ranks, float* group_ranks) const {
  const int32_t groups = parameters_.groups, size = parameters_.count / groups;
  for (int32_t g = 0; g < groups; ++g)
    group_ranks[g] = group_rank(ranks + g * size, size, parameters_.group_score);
  for (int32_t left = groups; left > parameters_.groups_used; --left) {
    int32_t worst = 0;
    for (int32_t g = 1; g < groups; ++g)
      if (group_ranks[g] <= group_ranks[worst]) worst = g;
    group_ranks[worst] = kInfinity;
    std::fill_n(ranks + worst * size, size, -kInfinity);
  }
}

void Router::weigh(const float* scores, const int32_t* experts, float* weights) const {
  float sum = 0;
  for (int32_t i = 0; i < parameters_.used; ++i) {
    weights[i] = scores[experts[i]];
    sum += weights[i];
  }
  // Sigmoids may all be 0: the summand is DeepSeek's own.
  const float divisor = !parameters_.normalise_weights            ? 1
                        : parameters_.gate == ExpertGate::sigmoid ? sum + 1e-20f
                                                                  : sum;
  for (int32_t i = 0; i < parameters_.used; ++i) weights[i] = weights[i] / divisor * parameters_.weight_scale;
}

void Router::choose(float* logits, float* ranks, int32_t* experts, float* weights) const {
  gate(logits);
  for (int32_t i = 0; i < parameters_.count; ++i) {
    const float rank = bias_.empty() ? logits[i] : logits[i] + bias_[static_cast<size_t>(i)];
    ranks[i] = rank == rank ? rank : -kInfinity;  // a NaN is not better than anything
  }
  if (parameters_.groups_used < parameters_.groups) drop_groups(ranks, ranks + parameters_.count);
  choose_largest(ranks, parameters_.count, parameters_.used, experts);
  weigh(logits, experts, weights);
}

}  // namespace baleen
