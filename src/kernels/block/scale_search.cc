#include "kernels/block/scale_search.h"

#include <algorithm>
#include <cmath>

namespace baleen {
namespace {

// Candidates lie around the scale that just reaches the largest value: the best one is seldom further off than a
// tenth, and finer steps changed the error by less than one part in a thousand on normal data.
constexpr int kTries = 7;
constexpr float kTryStep = 0.015f;

// Sums run in so many lanes, element i in lane i mod kLanes, so that they vectorise without reordering.
constexpr int kLanes = 8;

struct Sum {
  float lane[kLanes] = {};
  float total() const {
    float sum = 0;
    for (float each : lane) sum += each;
    return sum;
  }
};

/// To the nearest integer, halves to even, for |value| < 2^22: above 1.5 * 2^23 floats have no fraction bits.
float nearest(float value) {
  constexpr float kNoFraction = 12582912.0f;
  return (value + kNoFraction) - kNoFraction;
}

/// What one candidate's codes lead to.
struct Moments {
  Sum codes, squares, products;  // of code, code^2, value * code
};

/// Codes of `count` values (a multiple of kLanes) for a candidate scale.
Moments moments(const float* values, int count, float inverse, float low, float high) {
  Moments sums;
  for (int i = 0; i < count; i += kLanes)
    for (int j = 0; j < kLanes; ++j) {
      const float code = nearest(std::min(std::max(values[i + j] * inverse, low), high));
      sums.codes.lane[j] += code;
      sums.squares.lane[j] += code * code;
      sums.products.lane[j] += values[i + j] * code;
    }
  return sums;
}

/// Least squares of value = scale * code + offset; `error` is what is left of sum(value^2), which is the same for
/// all candidates.
struct Fit {
  float scale = 0, offset = 0, error = INFINITY;
};

Fit fit(const Moments& sums, float count, float sum_values) {
  const float c = sums.codes.total(), cc = sums.squares.total(), cv = sums.products.total();
  const float determinant = count * cc - c * c;
  if (!(determinant > 0)) return {};
  const float scale = (count * cv - c * sum_values) / determinant;
  const float offset = (sum_values - scale * c) / count;
  return {scale, offset, -(scale * cv + offset * sum_values)};
}

float total(const float* values, int count) {
  Sum sum;
  for (int i = 0; i < count; i += kLanes)
    for (int j = 0; j < kLanes; ++j) sum.lane[j] += values[i + j];
  return sum.total();
}

}  // namespace

int code_of(float value, float scale, int low, int high) {
  if (scale == 0) return std::clamp(0, low, high);
  const float code = value / scale;
  if (!(code > static_cast<float>(low)))
    return code <= static_cast<float>(low) ? low : std::clamp(0, low, high);
  return code < static_cast<float>(high) ? static_cast<int>(std::lrint(code)) : high;
}

AffineScale best_affine(const float* values, int count, int steps, float largest_offset) {
  const float low = std::min(largest_offset, *std::min_element(values, values + count));
  const float high = *std::max_element(values, values + count);
  if (!(high > low) || !std::isfinite(high - low)) return {0, std::isfinite(low) ? low : 0};
  float shifted[256];
  for (int i = 0; i < count; ++i) shifted[i] = values[i] - low;
  const float sum = total(shifted, count), plain = (high - low) / static_cast<float>(steps);
  AffineScale best{plain, low};
  float best_error = INFINITY;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const float inverse = 1 / (plain * (1 + kTryStep * static_cast<float>(attempt)));
    const Fit found =
        fit(moments(shifted, count, inverse, 0, static_cast<float>(steps)), static_cast<float>(count), sum);
    if (found.scale > 0 && found.offset + low <= largest_offset && found.error < best_error) {
      best_error = found.error;
      best = {found.scale, found.offset + low};
    }
  }
  return best;
}

float best_symmetric(const float* values, int count, int steps) {
  float largest = 0;
  for (int i = 0; i < count; ++i)
    if (std::abs(values[i]) > std::abs(largest)) largest = values[i];
  if (largest == 0 || !std::isfinite(largest)) return 0;
  const float plain = -largest / static_cast<float>(steps + 1);
  float best = plain, best_score = -1;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const float inverse = 1 / (plain * (1 + kTryStep * static_cast<float>(attempt)));
    const Moments sums =
        moments(values, count, inverse, -static_cast<float>(steps + 1), static_cast<float>(steps));
    const float cc = sums.squares.total(), cv = sums.products.total();
    // With the least-squares scale the error is sum v^2 - (sum cv)^2 / sum cc.
    if (cc > 0 && cv * cv / cc > best_score) {
      best_score = cv * cv / cc;
      best = cv / cc;
    }
  }
  return best;
}

}  // namespace baleen
