// What the kernels of K formats share. Static: see vectors.h.
#pragma once

#include "kernels/avx512/in_order.h"
#include "kernels/panel_layout.h"

namespace baleen::avx512 {

constexpr int kSlabs = 8;

/// sum[t] += (dot[t] * scale) << shift[t]
template <int T>
BALEEN_INLINE void add_scaled(const __m512i (&dot)[T], __m512i scale, const std::byte* shift,
                              __m512i (&sum)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t)
    sum[t] = _mm512_add_epi32(sum[t], shifted_left(_mm512_mullo_epi32(dot[t], scale), shift + t * 4));
}

/// Two tokens' sum += words of (first, second) . (scale << shifts), in steps together (docs/kernels/products.md, "In
/// pairs").
BALEEN_INLINE void add_pairs_of_two(const __m512i* first, const __m512i* second, __m512i scale,
                                    const std::byte* shifts, __m512i* sum) {
  const __m512i upper[2] = {in_order::upper_words(second[0]), in_order::upper_words(second[1])};
  const __m512i by[2] = {in_order::broadcast_int(shifts), in_order::broadcast_int(shifts + 4)};
  const __m512i shifted[2] = {in_order::shifted_words(scale, by[0]), in_order::shifted_words(scale, by[1])};
  const __m512i words[2] = {in_order::words_of(first[0], upper[0]), in_order::words_of(first[1], upper[1])};
  in_order::add_dot_of_words(sum[0], words[0], shifted[0]);
  in_order::add_dot_of_words(sum[1], words[1], shifted[1]);
}

/// Of all tokens; shifts: [T][2] words.
template <int T>
BALEEN_INLINE void add_pairs(const __m512i (&first)[T], const __m512i (&second)[T], __m512i scale,
                             const std::byte* shifts, __m512i (&sum)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t + 1 < T; t += 2) add_pairs_of_two(first + t, second + t, scale, shifts + t * 4, sum + t);
  if constexpr (T % 2 != 0) {
    const __m512i shifted = _mm512_sllv_epi16(scale, broadcast_int(shifts + (T - 1) * 4));
    sum[T - 1] = _mm512_dpwssd_epi32(sum[T - 1], words_of(first[T - 1], second[T - 1]), shifted);
  }
}

/// Of blocks256. Asked once a tile: a branch in each block cost 3 %, for both ways' constants shared the registers.
template <int T>
BALEEN_INLINE bool all_are_words(const std::byte* tile, int64_t cols, WordLimits limits) {
  __m512i most = _mm512_setzero_si512();
  const std::byte* bounds = tile + kBounds256 * T;
  for (int64_t k = 0; k < cols; k += 256, bounds += kRecord256 * T) {
    const __m512 each = _mm512_maskz_loadu_ps(row_mask(T), reinterpret_cast<const float*>(bounds));
    most = _mm512_max_epi16(most, _mm512_castps_si512(each));
  }
  const __m512i limit = _mm512_set1_epi32(limits.magnitudes << 16 | limits.one_sign);
  return _mm512_cmple_epi16_mask(most, limit) == 0xFFFFFFFF;
}

/// A token's sums of a format without minima, to its number.
BALEEN_INLINE void add_scaled_sum(__m512 scale, const std::byte* token_scale, __m512i sum, __m512& out) {
  out = _mm512_fmadd_ps(_mm512_mul_ps(scale, broadcast_float(token_scale)), _mm512_cvtepi32_ps(sum), out);
}

/// The products of pairs need all registers: without this the compiler spills their sums.
template <int T>
BALEEN_INLINE void keep_in_memory(__m512 (&out)[T]) {
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) asm volatile("" : "+m"(out[t]));
}

/// Block by block: Kernel::block<kWords>(record, x, ahead, out), which steps ahead, a Kernel::Fetching, kSteps times.
template <int T, class Kernel, bool kWords>
BALEEN_INLINE void multiply_blocks(const MatmulTile& tile) {
  const int64_t blocks = tile.cols / 256;
  const std::byte *record = tile.panel, *x = tile.x;
  __m512 out[T];
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) out[t] = _mm512_setzero_ps();
  auto ahead = Kernel::Fetching::of(tile, blocks * Kernel::kSteps);
  for (int64_t b = 0; b < blocks; ++b) {
    Kernel::template block<kWords>(record, x, ahead, out);
    record += Kernel::kRecordBytes;
    x += kRecord256 * T;
  }
  BALEEN_EACH_TOKEN
  for (int t = 0; t < T; ++t) put(tile, t, out[t]);
}

/// Where all dot products are words, two of them are multiplied at once.
template <int T, class Kernel>
BALEEN_INLINE void multiply_k(const MatmulTile& tile, WordLimits limits) {
  if (all_are_words<T>(tile.x, tile.cols, limits)) return multiply_blocks<T, Kernel, true>(tile);
  multiply_blocks<T, Kernel, false>(tile);
}

}  // namespace baleen::avx512
