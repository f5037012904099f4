// Attention's second product over an i8 page (rules: kernels/ref/i8_values.cc). Weights reach 255, so vpmaddubsw would
// overflow: codes and weights become 16-bit numbers, keys 0 and 2 of each four in one vector, 1 and 3 in the other.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

constexpr int kBlockRows = 4, kKeyGroups = kTileKeys / 4;

/// One row's weights of a block: words word_of(g) and kKeyGroups + word_of(g) hold the even and the odd keys of group g
/// as 16-bit numbers.
struct Weights {
  alignas(32) uint32_t words[2 * kKeyGroups];
  float step;
};
constexpr int word_of(int key_group) { return key_group % 2 * 4 + key_group / 2; }

BALEEN_INLINE uint32_t largest_of(__m256i x) {
  __m128i four = _mm_max_epu32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
}

/// Numbers >= 0 compare like their bits, and a NaN of either sign above all of them.
BALEEN_INLINE void quantise_weights(const float* p, VisibleKeys visible, const float* scales,
                                    Weights& weights) {
  __m256 w[4];
  __m256i largest_lanes = _mm256_setzero_si256();
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    w[v] = _mm256_mul_ps(_mm256_loadu_ps(p + 8 * v), _mm256_loadu_ps(scales + 8 * v));
    w[v] = _mm256_and_ps(w[v], _mm256_castsi256_ps(lane_mask(visible, v)));
    largest_lanes = _mm256_max_epu32(largest_lanes, _mm256_castps_si256(w[v]));
  }
  const uint32_t bits = largest_of(largest_lanes);
  float largest;
  __builtin_memcpy(&largest, &bits, sizeof largest);
  const bool broken = bits >= 0x7F800000, coded = !broken && largest >= kI8Tiny;
  weights.step = broken ? __builtin_nanf("") : coded ? largest / 255.0f : 0.0f;
  const __m256 factor = _mm256_set1_ps(coded ? 255.0f / largest : 0.0f);
  __m256i code[4];
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) code[v] = _mm256_cvtps_epi32(_mm256_mul_ps(w[v], factor));
  const __m256i bytes =
      _mm256_packus_epi16(_mm256_packus_epi32(code[0], code[1]), _mm256_packus_epi32(code[2], code[3]));
  const __m256i low_bytes = _mm256_set1_epi16(0xFF);
  _mm256_store_si256(reinterpret_cast<__m256i*>(weights.words), _mm256_and_si256(bytes, low_bytes));
  _mm256_store_si256(reinterpret_cast<__m256i*>(weights.words + kKeyGroups), _mm256_srli_epi16(bytes, 8));
}

/// Two keys of a group, the even or the odd ones, as 16-bit numbers.
BALEEN_INLINE __m256i even_keys(__m256i codes) { return _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8); }
BALEEN_INLINE __m256i odd_keys(__m256i codes) { return _mm256_srai_epi16(codes, 8); }

template <int kRows, int kVectors>
BALEEN_INLINE void add_keys(const Weights* weights, int word, const __m256i (&codes)[kVectors],
                            __m256i (&sum)[kRows][kVectors]) {
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256i weight = _mm256_set1_epi32(static_cast<int>(weights[r].words[word]));
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(weight, codes[v]));
      asm("" : "+x"(sum[r][v]));  // GCC would make all products first, and keep them on the stack
    }
  }
}

/// kVectors vectors of dimensions, of which `left` are there.
template <int kRows, int kVectors, class Access>
BALEEN_INLINE void sum_block(const Weights* weights, const I8Values& values, int64_t left, float* out) {
  __m256i sum[kRows][kVectors];
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r) BALEEN_UNROLL
  for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm256_setzero_si256();
  const int8_t* from = values.codes;
  asm("" : "+r"(weights));  // GCC would broadcast all words first, and keep them on the stack
  BALEEN_UNROLL
  for (int g = 0; g < kKeyGroups; ++g, from = next_row(from, values.stride * 4)) {
    __m256i codes[kVectors];
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) codes[v] = even_keys(Access::words(from + v * 32, left));
    add_keys<kRows>(weights, word_of(g), codes, sum);
    const int8_t* again = next_row(from, 0);  // both halves at once would not fit the registers
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) codes[v] = odd_keys(Access::words(again + v * 32, left));
    add_keys<kRows>(weights, kKeyGroups + word_of(g), codes, sum);
  }
  BALEEN_UNROLL
  for (int r = 0; r < kRows; ++r, out = next_row(out, values.dim)) {
    const __m256 step = _mm256_set1_ps(weights[r].step);
    BALEEN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const __m256 old = Access::load(out + v * 8, left);
      Access::store(out + v * 8, left, _mm256_fmadd_ps(step, _mm256_cvtepi32_ps(sum[r][v]), old));
    }
  }
}

/// Up to kRows rows that all see a key of the page.
template <int kRows>
void sum_rows(const TileRows& rows, int64_t first, const I8Values& values, float* out) {
  Weights weights[kRows];
  for (int64_t block = 0; block < values.dim; block += kI8Block) {
    for (int r = 0; r < kRows; ++r)
      quantise_weights(rows.scores + (first + r) * kTileKeys, rows.visible[first + r], values.scales + block,
                       weights[r]);  // 32 scales for 32 dimensions
    const int64_t end = values.dim - block < kI8Block ? values.dim : block + kI8Block;
    int64_t d = block;
    const auto from = [&] { return I8Values{values.codes + d * 4, nullptr, values.stride, values.dim}; };
    for (; d + 16 <= end; d += 16) sum_block<kRows, 2, Whole>(weights, from(), 16, out + d);
    for (; d + 8 <= end; d += 8) sum_block<kRows, 1, Whole>(weights, from(), 8, out + d);
    if (d < end) sum_block<kRows, 1, Partial>(weights, from(), end - d, out + d);
  }
}

using SumRows = void (*)(const TileRows& rows, int64_t first, const I8Values& values, float* out);
constexpr SumRows kSumRows[kBlockRows] = {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<4>};

}  // namespace

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  correct_sums(rows, values.dim, out);
  for (int64_t r = 0; r < rows.count; ++r) {
    int count = 0;
    while (count < kBlockRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    kSumRows[count - 1](rows, r, values, out + r * values.dim);
    r += count - 1;
  }
}

}  // namespace baleen::avx2
