// Rows of floats to the tiles of sums_tile.h.
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/sums_tile.h"
#include "kernels/avx512/with_minima.h"
#include "kernels/quantise_eight.h"

namespace baleen::avx512 {
namespace {

using namespace sums;

// With own (at most 8 * 135 * 8) and a carry of at most 4 (starts_of_pair()) a dot product is to be a word.
constexpr int kLargestDot = 0x7FFF - 8 * 135 * 8 - 4;

/// Groups 4 to 7 of a sub-block; what they take, of each token.
BALEEN_INLINE __m256i put_summands(const std::byte* codes, std::byte* to) {
  const __m512i less = _mm512_castsi256_si512(_mm256_set1_epi8(-kToHigh));
  const __m512i change = _mm512_inserti64x4(less, _mm256_set1_epi8(kToLow), 1);
  __m256i taken = _mm256_set1_epi32(kTakenAlways);
  BALEEN_EACH_TOKEN
  for (int pair = 0; pair < 2; ++pair) {  // of groups: the even one, the odd one behind it
    const __m512i both = _mm512_add_epi8(load(codes + pair * 2 * kGroup), change);
    _mm512_storeu_si512(to + pair * 2 * kGroup, both);
    taken = _mm256_dpbusd_epi32(taken, _mm512_extracti64x4_epi64(both, 1), _mm512_castsi512_si256(both));
  }
  return taken;
}

BALEEN_INLINE __m256i starts_of_pair(__m256i first_taken, __m256i second_taken) {
  const __m256i half = _mm256_set1_epi32(1 << 15);
  const __m256i first = _mm256_sub_epi32(half, first_taken), second = _mm256_sub_epi32(half, second_taken);
  // The lower half will carry first >> 16 into the upper one less than it should.
  return _mm256_add_epi32(_mm256_slli_epi32(first, 16),
                          _mm256_add_epi32(_mm256_srai_epi32(first, 16), second));
}

/// Whole registers, to the same place or an earlier one.
BALEEN_INLINE void move_down(const std::byte* from, int bytes, std::byte* to) {
  for (int i = 0; i < bytes; i += 64) _mm512_storeu_si512(to + i, load(from + i));
}

/// A block of blocks256, which begins where `to` does or behind it.
BALEEN_INLINE void lay_out(const std::byte* block, std::byte* to) {
  constexpr int kSubBlock = kSlab * kTokens;
  __m256i taken[kSlabs];
  BALEEN_EACH_TOKEN
  for (int j = 0; j < kSlabs; ++j) {
    const std::byte* codes = block + j * kSubBlock;
    move_down(codes, 4 * kGroup, to + j * kSubBlock);
    taken[j] = put_summands(codes + 4 * kGroup, to + j * kSubBlock + 4 * kGroup);
  }
  const __m256i scales = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + kScale256 * kTokens));
  store_eight(to + kScale, scales);
  move_down(block + kShiftPairs256 * kTokens, 4 * kPair, to + kShiftPairs);
  move_down(block + kSums256 * kTokens, 4 * kPair, to + kSums);
  BALEEN_EACH_TOKEN
  for (int i = 0; i < kSlabs / 2; ++i)
    store_eight(to + kStarts + i * kPair, starts_of_pair(taken[2 * i], taken[2 * i + 1]));
}

}  // namespace

void quantise_for_sums(const ActivationTile& tile) {
  quantise_blocks256(tile);
  if (tile.tokens != kTokens ||
      !all_are_words<kTokens>(tile.out, tile.cols, {kLargestDot / Q4K::kLargest, 0x7FFF}))
    return;
  for (int64_t b = 0; b < tile.cols / 256; ++b)
    lay_out(tile.out + b * kRecord256 * kTokens, tile.out + b * kRecord);
  std::memcpy(tile.out + mark_offset(tile.cols), &kMark, sizeof kMark);
}

}  // namespace baleen::avx512
