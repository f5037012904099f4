// Rows of floats to the tiles that the kernels take. Per block (docs/NUMERICS.md):
//   amax = max |x|;  a block with a NaN or an infinity: codes 0, scale NaN;  amax < 2^-100: codes 0, scale 0
//   blocks32:   code = round(x * (127 / amax)), scale = amax / 127
//   blocks256:  e[j] = the largest of 0..3 with max |x of sub-block j| <= amax * 2^-e
//               code = round(x * (120 / amax * 2^e[j])), scale = amax / 120 * 2^-3, shift[j] = 3 - e[j]
// round: to the nearest, halves to even. |x| * (127 / amax) stays below 127.5, so codes are -127..127; of 120 likewise.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/ref/floats.h"
#include "kernels/ref/matmul.h"

namespace baleen::ref {
namespace {

constexpr uint32_t kInfinity = 0x7F800000u, kNan = 0x7FC00000u;
constexpr float kTiny = 0x1p-100f;

/// The bits of the largest magnitude: magnitudes are ordered as their bits are, infinity and NaN above all
/// numbers.
uint32_t largest_magnitude(const float* x, int count) {
  uint32_t largest = 0;
  for (int i = 0; i < count; ++i) {
    const uint32_t magnitude = to_bits(x[i]) & 0x7FFFFFFFu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

/// Halves to even for |x| < 2^22: the sum is rounded where its last bit is worth 1.
int8_t round_to_even(float x) {
  constexpr float kShifter = 0x1.8p23f;
  return static_cast<int8_t>((x + kShifter) - kShifter);
}

/// Sums of codes.
struct CodeSums {
  int32_t sum = 0, magnitudes = 0;
};

/// Codes of `count` values of a token, into a tile.
CodeSums write_codes(const float* x, int count, float factor, int tokens, std::byte* out) {
  CodeSums sums;
  for (int k = 0; k < count; ++k) {
    const int8_t code = factor == 0 ? int8_t{0} : round_to_even(x[k] * factor);
    out[k / 4 * 4 * tokens + k % 4] = static_cast<std::byte>(code);
    sums.sum += code;
    sums.magnitudes += code < 0 ? -code : code;
  }
  return sums;
}

void quantise_32(const float* x, int tokens, int token, std::byte* block) {
  const uint32_t bits = largest_magnitude(x, kSlab);
  const float amax = from_bits(bits);
  const bool finite = bits < kInfinity, tiny = finite && amax < kTiny;
  const float factor = finite && !tiny ? kLargestCode32 / amax : 0.0f;
  const float scale = !finite ? from_bits(kNan) : tiny ? 0.0f : amax / kLargestCode32;
  const int32_t sum = write_codes(x, kSlab, factor, tokens, block + token * 4).sum;
  store(block + kScale32 * tokens + token * 4, scale);
  store(block + kScaledSum32 * tokens + token * 4, scale * static_cast<float>(sum));
  store(block + kSum32 * tokens + token * 4, -8 * sum);
}

/// Largest e of 0 .. kMaxShift with magnitude <= amax * 2^-e.
int sub_scale_exponent(float magnitude, float amax) {
  int e = 0;
  while (e < kMaxShift && magnitude <= amax * from_bits(static_cast<uint32_t>(126 - e) << 23))
    ++e;  // 2^-(e + 1)
  return e;
}

void quantise_256(const float* x, int tokens, int token, std::byte* block) {
  const uint32_t bits = largest_magnitude(x, 256);
  const float amax = from_bits(bits);
  const bool finite = bits < kInfinity, tiny = finite && amax < kTiny;
  const float factor = finite && !tiny ? kLargestCode256 / amax : 0.0f;
  const float scale = !finite ? from_bits(kNan) : tiny ? 0.0f : amax / kLargestCode256 * 0x1p-3f;
  store(block + kScale256 * tokens + token * 4, scale);
  int32_t one_sign = 0, magnitudes = 0;  // the bounds
  for (int j = 0; j < 8; ++j) {
    const float* sub = x + j * kSlab;
    const int e = factor == 0 ? 0 : sub_scale_exponent(from_bits(largest_magnitude(sub, kSlab)), amax);
    const float sub_factor = factor * static_cast<float>(1 << e);
    std::byte* codes = block + j * kSlab * tokens + token * 4;
    const CodeSums low = write_codes(sub, 16, sub_factor, tokens, codes);
    const CodeSums high = write_codes(sub + 16, 16, sub_factor, tokens, codes + 16 * tokens);
    const int32_t sum = low.sum + high.sum, shift = kMaxShift - e;
    one_sign = std::max(one_sign, (low.magnitudes + high.magnitudes + std::abs(sum)) / 2);
    magnitudes = std::max({magnitudes, low.magnitudes, high.magnitudes});
    const int pair = (j / 2 * tokens + token) * 2 + j % 2;
    store(block + kShift256 * tokens + (j * tokens + token) * 4, shift);
    store(block + kShiftPairs256 * tokens + pair * 2, static_cast<int16_t>(shift));
    store(block + kSums256 * tokens + pair * 2, static_cast<int16_t>(sum * (1 << shift)));
    store(block + kSum16s256 * tokens + (2 * j * tokens + token) * 4, -32 * low.sum);
    store(block + kSum16s256 * tokens + ((2 * j + 1) * tokens + token) * 4, -32 * high.sum);
  }
  store(block + kBounds256 * tokens + token * 4, static_cast<int16_t>(one_sign));
  store(block + kBounds256 * tokens + token * 4 + 2, static_cast<int16_t>(magnitudes));
}

}  // namespace

void arrange_floats(const ActivationTile& tile) {
  for (int64_t k = 0; k < tile.cols; ++k)
    for (int t = 0; t < tile.tokens; ++t) store(tile.out + (k * tile.tokens + t) * 4, tile.rows[t][k]);
}

void quantise_blocks32(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 32; ++b)
      quantise_32(tile.rows[t] + b * 32, tile.tokens, t, tile.out + b * kRecord32 * tile.tokens);
}

void quantise_blocks256(const ActivationTile& tile) {
  for (int t = 0; t < tile.tokens; ++t)
    for (int64_t b = 0; b < tile.cols / 256; ++b)
      quantise_256(tile.rows[t] + b * 256, tile.tokens, t, tile.out + b * kRecord256 * tile.tokens);
}

}  // namespace baleen::ref
