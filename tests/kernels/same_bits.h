// Comparing kernels of several ISAs: floats that must be the same bits, NaN payloads excepted.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/kernel_table.h"

namespace baleen::testing {

/// The ISAs beside ref that this machine can run.
inline std::vector<Isa> fast_isas() {
  std::vector<Isa> all;
  for (const Isa isa : kIsas)
    if (isa != Isa::ref && cpu_has(isa)) all.push_back(isa);
  return all;
}

inline void expect_bits(const std::vector<float>& ours, const std::vector<float>& reference,
                        const std::string& what) {
  ASSERT_EQ(ours.size(), reference.size()) << what;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (std::isnan(ours[i]) && std::isnan(reference[i])) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(ours[i]), std::bit_cast<uint32_t>(reference[i]))
        << what << ", element " << i << ": " << ours[i] << " and " << reference[i];
  }
}

/// Normally distributed, with a few zeros, and extreme and non-finite values where asked for.
enum class Extremes { none, some };
inline std::vector<float> random_floats(int64_t count, uint32_t seed, Extremes extremes = Extremes::none) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 2);
  constexpr float kSpecial[] = {0.0f, -0.0f, 1e-42f, -3e38f, 100.0f, -100.0f, INFINITY, -INFINITY, NAN};
  std::vector<float> floats(static_cast<size_t>(count));
  for (float& x : floats) {
    x = normal(random);
    if (extremes == Extremes::some && random() % 16 == 0) x = kSpecial[random() % std::size(kSpecial)];
  }
  return floats;
}

}  // namespace baleen::testing
