#include "decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/math.h"

namespace baleen {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

/// The index of the largest value, the first of equals; -1 where no value is above -infinity (NaN counts as
/// less).
int32_t arg_max(std::span<const float> values) {
  float largest = kNone;
  for (float value : values) largest = value > largest ? value : largest;
  if (largest == kNone) return -1;
  return static_cast<int32_t>(std::ranges::find(values, largest) - values.begin());
}

/// Values are added in 8 lanes, i in lane i mod 8, then lane by lane: an order that vectorises and is fixed.
struct LaneSum {
  static constexpr size_t kLanes = 8;
  double lanes[kLanes] = {};

  double total() const {
    double sum = 0;
    for (double lane : lanes) sum += lane;
    return sum;
  }
};

/// ln of the sum of e^(logit - largest).
double log_sum_exp(std::span<const float> logits, float largest) {
  LaneSum sum;
  size_t i = 0;
  for (; i + LaneSum::kLanes <= logits.size(); i += LaneSum::kLanes)
    for (size_t lane = 0; lane < LaneSum::kLanes; ++lane)
      sum.lanes[lane] += portable_exp(double{logits[i + lane]} - double{largest});
  for (size_t lane = 0; i + lane < logits.size(); ++lane)
    sum.lanes[lane] += portable_exp(double{logits[i + lane]} - double{largest});
  return portable_log(sum.total());
}

}  // namespace

TokenCounts::TokenCounts(std::span<const int32_t> prompt) : prompt_(prompt.begin(), prompt.end()) {
  std::ranges::sort(prompt_);
  prompt_.erase(std::ranges::unique(prompt_).begin(), prompt_.end());
}

void TokenCounts::add(int32_t generated) {
  auto place = std::ranges::lower_bound(generated_, generated, {}, &std::pair<int32_t, int32_t>::first);
  if (place != generated_.end() && place->first == generated)
    ++place->second;
  else
    generated_.insert(place, {generated, 1});
}

Sampler::Sampler(int32_t vocab_rows, int32_t vocab_tokens)
    : rows_(vocab_rows), tokens_(std::min(vocab_rows, vocab_tokens)) {
  CHECK(tokens_ > 0);
  adjusted_.resize(static_cast<size_t>(rows_));
  weights_.resize(static_cast<size_t>(tokens_));
  candidates_.reserve(static_cast<size_t>(tokens_));
}

bool Sampler::before(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

Sample Sampler::sample(std::span<const float> logits, const SampleRequest& request) {
  CHECK(static_cast<int32_t>(logits.size()) == rows_);
  const std::span<const float> adjusted = adjust(logits, request).first(static_cast<size_t>(tokens_));
  int32_t token = arg_max(adjusted);
  if (token < 0) return {};
  // Beside an infinite logit every other has no share, and their distance is no number to draw by.
  const bool finite = std::isfinite(adjusted[static_cast<size_t>(token)]);
  if (request.params->temperature > 0 && finite) token = draw(adjusted, token, request);
  if (request.logprobs >= 0) return score(logits, token, request.logprobs);
  return {.chosen = {token, 0}, .top = {}};
}

Sample Sampler::score(std::span<const float> logits, int32_t token, int32_t top) const {
  CHECK(static_cast<int32_t>(logits.size()) == rows_ && token >= 0 && token < rows_);
  const int32_t best = arg_max(logits);
  if (best < 0) return {};
  const float largest = logits[static_cast<size_t>(best)];
  const double normaliser = log_sum_exp(logits, largest);
  auto logprob = [&](int32_t id) -> TokenLogprob {
    constexpr double kLeast = -9999;
    const double value = double{logits[static_cast<size_t>(id)]} - double{largest} - normaliser;
    return {id, static_cast<float>(value > kLeast ? value : kLeast)};
  };
  Sample result{.chosen = logprob(token), .top = {}};
  if (top == 0) return result;

  // A sorted list of the best so far; almost every token is below its last, so it costs one comparison.
  std::vector<Candidate> list;
  list.reserve(static_cast<size_t>(top) + 1);
  for (int32_t id = 0; id < tokens_; ++id) {
    const Candidate candidate{logits[static_cast<size_t>(id)], id};
    const bool full = static_cast<int32_t>(list.size()) == top;
    if (std::isnan(candidate.logit) || (full && !before(candidate, list.back()))) continue;
    list.insert(std::ranges::upper_bound(list, candidate, before), candidate);
    if (full) list.pop_back();
  }
  for (const Candidate& candidate : list) result.top.push_back(logprob(candidate.token));
  return result;
}

std::span<const float> Sampler::adjust(std::span<const float> logits, const SampleRequest& request) {
  const SamplingParams& params = *request.params;
  if (!params.has_penalties() && params.logit_bias.empty()) return logits;
  std::ranges::copy(logits, adjusted_.begin());
  for (auto [token, bias] : params.logit_bias) {
    CHECK(token >= 0 && token < tokens_);
    adjusted_[static_cast<size_t>(token)] += bias;
  }
  if (!params.has_penalties() || request.counts == nullptr) return adjusted_;
  auto repeat = [&](int32_t token) {
    float& logit = adjusted_[static_cast<size_t>(token)];
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  };
  const TokenCounts& counts = *request.counts;
  for (int32_t token : counts.prompt_) repeat(token);
  for (auto [token, count] : counts.generated_) {
    if (!std::ranges::binary_search(counts.prompt_, token)) repeat(token);
    adjusted_[static_cast<size_t>(token)] -=
        params.presence_penalty + params.frequency_penalty * static_cast<float>(count);
  }
  return adjusted_;
}

int32_t Sampler::draw(std::span<const float> logits, int32_t best, const SampleRequest& request) {
  const SamplingParams& params = *request.params;
  const bool cut = params.top_p < 1 || (params.top_k > 0 && params.top_k < tokens_);
  const double largest = logits[static_cast<size_t>(best)], sharpness = 1.0 / double{params.temperature};
  const double least = cut ? 0 : params.min_p;  // after a cut the best are sorted, so min_p is easier then
  auto weigh = [&](size_t id) {
    const double weight = portable_exp((double{logits[id]} - largest) * sharpness);
    return weight >= least ? weight : 0;
  };
  LaneSum sum;
  size_t id = 0;
  for (; id + LaneSum::kLanes <= logits.size(); id += LaneSum::kLanes)
    for (size_t lane = 0; lane < LaneSum::kLanes; ++lane)
      sum.lanes[lane] += weights_[id + lane] = weigh(id + lane);
  for (size_t lane = 0; id + lane < logits.size(); ++lane)
    sum.lanes[lane] += weights_[id + lane] = weigh(id + lane);
  if (cut) return draw_among_best(logits, sum.total(), request);
  return draw_in_order_of_id(uniform_draw(request.key) * sum.total(), best);
}

int32_t Sampler::draw_in_order_of_id(double target, int32_t best) const {
  double reached = 0;
  for (int32_t id = 0; id < tokens_; ++id) {
    reached += weights_[static_cast<size_t>(id)];
    if (reached > target) return id;
  }
  return best;  // this sum rounds differently from the total, so the target can lie above it
}

int32_t Sampler::draw_among_best(std::span<const float> logits, double total, const SampleRequest& request) {
  const SamplingParams& params = *request.params;
  gather_best(logits, total, params);
  auto weight = [&](const Candidate& candidate) { return weights_[static_cast<size_t>(candidate.token)]; };
  if (params.top_k > 0) {  // top_p then looks at the k best alone
    total = 0;
    for (const Candidate& candidate : candidates_) total += weight(candidate);
  }
  double kept = 0;
  size_t count = 0;
  for (const Candidate& candidate : candidates_) {
    if (count > 0 && (weight(candidate) < params.min_p || (params.top_p < 1 && kept >= params.top_p * total)))
      break;
    kept += weight(candidate);
    ++count;
  }
  const double target = uniform_draw(request.key) * kept;
  double reached = 0;
  for (size_t i = 0; i < count; ++i) {
    reached += weight(candidates_[i]);
    if (reached > target) return candidates_[i].token;
  }
  return candidates_[0].token;
}

/// Fills candidates_ with at least the tokens that top_k and top_p can keep, sorted, best first. A model is
/// mostly sure, so the few tokens above a threshold hold nearly always all that is wanted and the rest is
/// never sorted.
void Sampler::gather_best(std::span<const float> logits, double total, const SamplingParams& params) {
  const auto wanted = static_cast<size_t>(params.top_k > 0 ? std::min(params.top_k, tokens_) : tokens_);
  for (double least : {1e-2, 1e-4, 1e-7, 0.0}) {
    candidates_.clear();
    double gathered = 0;
    for (int32_t id = 0; id < tokens_; ++id) {
      const double weight = weights_[static_cast<size_t>(id)];
      const float logit = logits[static_cast<size_t>(id)];
      if (weight < least || std::isnan(logit)) continue;
      candidates_.push_back({logit, id});
      gathered += weight;
    }
    // With top_k the k best must be there; with top_p alone, a little more than its share of the whole.
    const bool enough =
        params.top_k > 0 ? candidates_.size() >= wanted : gathered >= params.top_p * total * (1 + 1e-9);
    if (enough) break;
  }
  if (candidates_.size() > wanted) {
    std::ranges::nth_element(candidates_, candidates_.begin() + static_cast<ptrdiff_t>(wanted), before);
    candidates_.resize(wanted);
  }
  std::ranges::sort(candidates_, before);
}

}  // namespace baleen
