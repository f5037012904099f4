// YaRN's attention factor (arXiv 2309.00071), as transformers and the DeepSeek papers compute it.
#pragma once

#include "base/math.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// mscale(s, m) = 0.1 m ln s + 1 for s > 1, else 1.
inline double yarn_mscale(double factor, double mscale) {
  return factor > 1 ? 0.1 * mscale * portable_log(factor) + 1 : 1;
}

/// The m that makes mscale(s, m) the value given; s > 1.
inline float yarn_mscale_argument(double factor, double value) {
  return static_cast<float>((value - 1) / (0.1 * portable_log(factor)));
}

/// What cos and sin are multiplied by: mscale(factor, mscale) / mscale(factor, mscale_all_dim) where the model states
/// both, else mscale(factor, 1).
inline float yarn_attention_factor(const RopeParameters& rope) {
  const double factor = rope.factor;
  if (rope.mscale != 0 && rope.mscale_all_dim != 0)
    return static_cast<float>(yarn_mscale(factor, rope.mscale) / yarn_mscale(factor, rope.mscale_all_dim));
  return static_cast<float>(yarn_mscale(factor, 1));
}

}  // namespace baleen
