// Rotary position embedding (arXiv 2104.09864) and the ways models stretch it.
#pragma once

#include <span>
#include <vector>

#include "formats/hyper_parameters.h"
#include "models/pass.h"

namespace baleen {

/// cos and sin of every row's angles: [rows, pairs] each.
struct Rotation {
  Rows cos, sin;
};

class Rope {
 public:
  Rope() = default;
  /// `divisors`: what each frequency is divided by (GGUF's rope_freqs.weight); empty where the file has none.
  Rope(const RopeParameters& parameters, std::span<const float> divisors);

  int64_t pairs() const { return static_cast<int64_t>(frequencies_.size()); }
  /// The angles of the step's positions, computed in double with our own sine and cosine.
  Rotation rotation(const Pass& pass) const;
  /// Turns 2 * pairs dimensions of each head of x [rows, heads * head_dim] in place: the first ones, or those behind
  /// `skipped` ones.
  void rotate(const Pass& pass, const Rotation& rotation, Rows x, int64_t head_dim,
              int64_t skipped = 0) const;

 private:
  std::vector<double> frequencies_;  ///< radians per position
  float amplitude_ = 1;              ///< of cos and sin; yarn
  RopePairs layout_ = RopePairs::neighbours;
};

/// What each pair's frequency is divided by under the parameters' scaling: [dimensions / 2].
std::vector<float> rope_divisors(const RopeParameters& parameters);

}  // namespace baleen
