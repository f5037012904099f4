#include "models/rope.h"

#include <algorithm>
#include <numbers>

#include "base/check.h"
#include "base/math.h"
#include "base/trigonometry.h"

namespace baleen {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

/// Llama 3.1's scaling: long waves are stretched by `factor`, short ones kept, those between interpolated.
double llama3_frequency(const RopeParameters& p, double frequency) {
  const double turns = p.original_context * frequency / kTurn;  // in the original context
  if (turns > p.high_freq_factor) return frequency;
  if (turns < p.low_freq_factor) return frequency / p.factor;
  const double kept = (turns - p.low_freq_factor) / (double{p.high_freq_factor} - p.low_freq_factor);
  return (1 - kept) * frequency / p.factor + kept * frequency;
}

/// YaRN (arXiv 2309.00071): the pair that makes so many turns in the original context.
double yarn_pair(const RopeParameters& p, double turns) {
  return p.dimensions * portable_log(p.original_context / (turns * kTurn)) / (2 * portable_log(p.theta));
}

double yarn_frequency(const RopeParameters& p, double frequency, int32_t pair) {
  const auto whole = [](double x) { return static_cast<double>(static_cast<int64_t>(x)); };  // x >= 0
  const double last = p.dimensions - 1;
  // A pair behind the last is as far as the last. With theta 1, which turns all alike, none is found (NaN).
  const auto pair_of = [&](double turns) {
    const double found = yarn_pair(p, turns);
    return found >= 0 ? std::min(found, last) : 0;
  };
  const double low = whole(pair_of(p.beta_fast)), slow = pair_of(p.beta_slow);
  const double high = std::min(whole(slow) < slow ? whole(slow) + 1 : slow, last);
  const double span = std::max(high - low, 0.001);
  const double stretched = std::clamp((pair - low) / span, 0.0, 1.0);
  return stretched * frequency / p.factor + (1 - stretched) * frequency;
}

double scaled_frequency(const RopeParameters& p, double frequency, int32_t pair) {
  switch (p.scaling) {
    case RopeScaling::none:
      return frequency;
    case RopeScaling::linear:
      return frequency / p.factor;
    case RopeScaling::llama3:
      return llama3_frequency(p, frequency);
    case RopeScaling::yarn:
      return yarn_frequency(p, frequency, pair);
  }
  CHECK(false);
}

/// Radians per position of a pair, not scaled.
double base_frequency(const RopeParameters& p, int32_t pair) {
  return portable_exp(-2.0 * pair / p.dimensions * portable_log(p.theta));
}

}  // namespace

std::vector<float> rope_divisors(const RopeParameters& parameters) {
  std::vector<float> divisors;
  for (int32_t i = 0; i < parameters.dimensions / 2; ++i) {
    const double frequency = base_frequency(parameters, i);
    divisors.push_back(static_cast<float>(frequency / scaled_frequency(parameters, frequency, i)));
  }
  return divisors;
}

Rope::Rope(const RopeParameters& parameters, std::span<const float> divisors)
    : amplitude_(parameters.scaling == RopeScaling::yarn ? parameters.attention_factor : 1),
      layout_(parameters.pairs) {
  const int32_t pairs = parameters.dimensions / 2;
  CHECK(divisors.empty() || divisors.size() == static_cast<size_t>(pairs));
  for (int32_t i = 0; i < pairs; ++i) {
    const double frequency = base_frequency(parameters, i);
    const double divisor = divisors.empty() ? 1.0 : divisors[static_cast<size_t>(i)];
    frequencies_.push_back(scaled_frequency(parameters, frequency, i) / divisor);
  }
}

Rotation Rope::rotation(const Pass& pass) const {
  const Rotation rotation{pass.take_rows(pass.row_count(), pairs()),
                          pass.take_rows(pass.row_count(), pairs())};
  for (const Step::Part& part : pass.step.parts)
    for_each_row(pass, part.rows, [&](int64_t i) {
      const int64_t row = part.first_row + i;
      const auto position = static_cast<double>(part.first_position + i);
      for (int64_t pair = 0; pair < pairs(); ++pair) {
        const double angle = position * frequencies_[static_cast<size_t>(pair)];
        rotation.cos.row(row)[pair] = static_cast<float>(portable_cos(angle)) * amplitude_;
        rotation.sin.row(row)[pair] = static_cast<float>(portable_sin(angle)) * amplitude_;
      }
    });
  return rotation;
}

void Rope::rotate(const Pass& pass, const Rotation& rotation, Rows x, int64_t head_dim,
                  int64_t skipped) const {
  CHECK(skipped + 2 * pairs() <= head_dim);
  const auto turn =
      layout_ == RopePairs::neighbours ? pass.kernels().rotate_neighbours : pass.kernels().rotate_halves;
  for_each_row(pass, x.count, [&](int64_t row) {
    for (int64_t head = 0; head < x.width; head += head_dim)
      turn(x.row(row) + head + skipped, rotation.cos.row(row), rotation.sin.row(row), pairs());
  });
}

}  // namespace baleen
