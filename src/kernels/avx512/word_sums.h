// Products of 16-bit codes as sums, two by one multiplication (Winograd 1968; docs/kernels/products.md, "Sums
// multiplied"), for cores that add beside multiplying: a * x + b * y = (a + y) * (b + x) - a * b - x * y. Of the 16
// double words of two codes that a block has, i and i + 4 for i < 4 are multiplied so; with as many as they are,
// eight, multiplications take as long as additions. Codes have 14 bits (kI16Largest), so sums of two are words. A
// latent may be NaN where no row sees it: then a code is what is left of 10 bits of 23, 3 * 2^13 at most, and the
// weights beside it are not negative.
#pragma once

#include "kernels/avx512/in_order.h"
#include "kernels/row_constants.h"

namespace baleen::avx512::word_sums {

constexpr int kSteps = 16, kSummed = 4;
static_assert(2 * (kI16Largest + 1) < 0x8000);

/// What the codes of a block's lanes take off, [kSteps], so far apart, each: -(a * b), added up.
BALEEN_INLINE __m512i less_of_codes(const std::byte* codes, int64_t step_bytes) {
  __m512i own = _mm512_setzero_si512();
  BALEEN_EACH_TOKEN
  for (int i = 0; i < kSummed; ++i)
    own = _mm512_dpwssd_epi32(own, load(codes + i * step_bytes), load(codes + (i + kSummed) * step_bytes));
  return _mm512_sub_epi32(_mm512_setzero_si512(), own);
}

/// What a row's words take off, [kSteps]: x * y, four sums to be added up.
BALEEN_INLINE __m128i products_of_row(const void* words) {
  const auto* of = static_cast<const __m128i*>(words);
  return _mm_dpwssd_epi32(_mm_setzero_si128(), _mm_loadu_si128(of), _mm_loadu_si128(of + 1));
}
BALEEN_INLINE int32_t taken_of(const void* words) {
  const __m128i sums = products_of_row(words), pairs = _mm_hadd_epi32(sums, sums);
  return _mm_cvtsi128_si32(_mm_hadd_epi32(pairs, pairs));
}
/// Of four rows so far apart.
BALEEN_INLINE __m128i taken_of_four(const void* words, int64_t row_bytes) {
  const auto row = [&] [[gnu::always_inline]] (int r) {
    return products_of_row(static_cast<const std::byte*>(words) + r * row_bytes);
  };
  return _mm_hadd_epi32(_mm_hadd_epi32(row(0), row(1)), _mm_hadd_epi32(row(2), row(3)));
}

/// Where codes lie, [kSteps][2][64 bytes], and rows of words.
struct Operands {
  const std::byte* codes;
  int64_t step_bytes;
  const std::byte* words;
  int64_t row_bytes;

  [[gnu::always_inline]] __m512i code(int step, int half) const {
    return load(codes + step * step_bytes + half * 64);
  }
  [[gnu::always_inline]] const std::byte* word(int row, int step) const {
    return words + row * row_bytes + step * 4;
  }
};

/// A row's products of the codes at `step`, as they are.
BALEEN_INLINE void add_plain(const __m512i (&code)[2], const std::byte* word, __m512i (&sum)[2]) {
  const __m512i both = in_order::broadcast_int(word);
  in_order::add_dot_of_words(sum[0], code[0], both);
  in_order::add_dot_of_words(sum[1], code[1], both);
}

/// A row's products of sums.
BALEEN_INLINE void add_sums(const __m512i (&a)[2], const __m512i (&b)[2], const std::byte* word,
                            __m512i (&sum)[2]) {
  const __m512i x = in_order::broadcast_int(word), y = in_order::broadcast_int(word + kSummed * 4);
  const __m512i left[2] = {in_order::add_words(a[0], y), in_order::add_words(a[1], y)};
  const __m512i right[2] = {in_order::add_words(b[0], x), in_order::add_words(b[1], x)};
  in_order::add_dot_of_words(sum[0], left[0], right[0]);
  in_order::add_dot_of_words(sum[1], left[1], right[1]);
}

/// sum[row] += codes . words, but for what both take off.
template <int kRows>
BALEEN_INLINE void add_products(const Operands& from, __m512i (&sum)[kRows][2]) {
  BALEEN_EACH_TOKEN
  for (int i = 0; i < kSummed; ++i) {
    const int plain = 2 * kSummed + 2 * i;
    const __m512i a[2] = {from.code(i, 0), from.code(i, 1)};
    const __m512i b[2] = {from.code(i + kSummed, 0), from.code(i + kSummed, 1)};
    const __m512i first[2] = {from.code(plain, 0), from.code(plain, 1)};
    BALEEN_EACH_TOKEN
    for (int row = 0; row < kRows; ++row) {
      const int other = (row + kRows / 2) % kRows;  // whose sums do not wait for what was just added
      add_plain(first, from.word(other, plain), sum[other]);
      add_sums(a, b, from.word(row, i), sum[row]);
    }
    const __m512i second[2] = {from.code(plain + 1, 0), from.code(plain + 1, 1)};
    BALEEN_EACH_TOKEN
    for (int row = 0; row < kRows; ++row) add_plain(second, from.word(row, plain + 1), sum[row]);
  }
}

}  // namespace baleen::avx512::word_sums
