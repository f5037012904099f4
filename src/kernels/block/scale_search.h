// Scales of a group of values with the least squared error. Groups are multiples of 8, at most 256 values.
#pragma once

#include <cstdint>

namespace baleen {

/// Values as scale * code + offset, code in [0, steps], offset <= largest_offset.
struct AffineScale {
  float scale, offset;
};
AffineScale best_affine(const float* values, int count, int steps, float largest_offset);

/// Values as scale * code, code in [-steps - 1, steps]; the scale may be negative (so that the value of the
/// largest magnitude can use the one code more). 0 where all values are 0.
float best_symmetric(const float* values, int count, int steps);

/// value / scale to the nearest integer, halves to even, within [low, high]; 0 for a scale of 0 and for NaN.
int code_of(float value, float scale, int low, int high);

}  // namespace baleen
