#include "kernels/block/scale_search.h"

#include <algorithm>
#include <cmath>

namespace baleen {
namespace {

// Candidates lie around the scale that just reaches the largest value: the best one is seldom further off
// than a tenth, and finer steps changed the error by less than one part in a thousand on normal data.
constexpr int kTries = 10;
constexpr float kTryStep = 0.01f;

int nearest(float value) { return static_cast<int>(std::lrint(value)); }

/// Least squares of values over (code, 1) for given codes; offset kept <= 0.
AffineScale fit(const float* values, const int* codes, int count) {
  double sum_c = 0, sum_cc = 0, sum_v = 0, sum_cv = 0;
  for (int i = 0; i < count; ++i) {
    sum_c += codes[i];
    sum_cc += double{1} * codes[i] * codes[i];
    sum_v += double{values[i]};
    sum_cv += double{values[i]} * codes[i];
  }
  const double determinant = count * sum_cc - sum_c * sum_c;
  if (determinant <= 0) return {0, static_cast<float>(std::min(0.0, sum_v / count))};
  double scale = (count * sum_cv - sum_c * sum_v) / determinant;
  double offset = (sum_cc * sum_v - sum_c * sum_cv) / determinant;
  if (offset > 0) {
    offset = 0;
    scale = sum_cc > 0 ? sum_cv / sum_cc : 0;
  }
  return {static_cast<float>(scale), static_cast<float>(offset)};
}

double squared_error(const float* values, const int* codes, int count, AffineScale with) {
  double error = 0;
  for (int i = 0; i < count; ++i) {
    const double difference = double{values[i]} - (double{with.scale} * codes[i] + double{with.offset});
    error += difference * difference;
  }
  return error;
}

}  // namespace

int code_of(float value, float scale, int low, int high) {
  if (scale == 0) return std::clamp(0, low, high);
  const float code = value / scale;
  if (!(code > static_cast<float>(low)))
    return code <= static_cast<float>(low) ? low : std::clamp(0, low, high);
  return code < static_cast<float>(high) ? nearest(code) : high;
}

AffineScale best_affine(const float* values, int count, int steps) {
  const float low = std::min(0.0f, *std::min_element(values, values + count));
  const float high = *std::max_element(values, values + count);
  if (!(high > low) || !std::isfinite(high - low)) return {0, std::isfinite(low) ? low : 0};
  const AffineScale plain{(high - low) / static_cast<float>(steps), low};
  AffineScale best = plain;
  double best_error = INFINITY;
  int codes[256];
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const float scale = plain.scale * (1 + kTryStep * static_cast<float>(attempt));
    for (int i = 0; i < count; ++i) codes[i] = code_of(values[i] - low, scale, 0, steps);
    const AffineScale fitted = fit(values, codes, count);
    if (!(fitted.scale > 0)) continue;
    for (int i = 0; i < count; ++i) codes[i] = code_of(values[i] - fitted.offset, fitted.scale, 0, steps);
    const double error = squared_error(values, codes, count, fitted);
    if (error < best_error) {
      best_error = error;
      best = fitted;
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
  float best = plain;
  double best_score = -1;
  for (int attempt = -kTries; attempt <= kTries; ++attempt) {
    const float scale = plain * (1 + kTryStep * static_cast<float>(attempt));
    double sum_cv = 0, sum_cc = 0;
    for (int i = 0; i < count; ++i) {
      const int code = code_of(values[i], scale, -steps - 1, steps);
      sum_cv += double{values[i]} * code;
      sum_cc += double{1} * code * code;
    }
    // With the least-squares scale the error is sum v^2 - (sum cv)^2 / sum cc.
    if (sum_cc > 0 && sum_cv * sum_cv / sum_cc > best_score) {
      best_score = sum_cv * sum_cv / sum_cc;
      best = static_cast<float>(sum_cv / sum_cc);
    }
  }
  return best;
}

}  // namespace baleen
