// The random number behind a sampled token: a function of its key, never of a shared stream.
#pragma once

#include <cstdint>

namespace baleen {

/// SplitMix64's output function (Steele, Lea, Flood 2014): a bijection in which every bit depends on every
/// other.
inline uint64_t mix_bits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// What a draw depends on.
struct DrawKey {
  uint64_t seed = 0;
  int32_t choice = 0;    ///< index among the n choices of a request
  int32_t position = 0;  ///< of the token drawn, in its sequence
};

/// Uniform in [0, 1), a multiple of 2^-53.
inline double uniform_draw(const DrawKey& key) {
  constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio, SplitMix64's increment
  const uint64_t place =
      (uint64_t{static_cast<uint32_t>(key.choice)} << 32) | static_cast<uint32_t>(key.position);
  const uint64_t bits = mix_bits(mix_bits(key.seed + kGamma) + (place + 1) * kGamma);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace baleen
