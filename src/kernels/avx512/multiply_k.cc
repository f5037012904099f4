// Products with K formats (formulas: kernels/ref/multiply_k.cc). A sub-block's dot product is multiplied by
// the weight's sub-scale in int32 and shifted by the activations'; Q6_K's accumulators start at -32 * sum of
// the activations. Where the activations' bounds say that dot products fit into 16 bits, as nearly always, two of them
// are multiplied at once, as words.
#include "kernels/avx512/k_blocks.h"
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/with_minima.h"

namespace baleen::avx512 {
namespace {

template <int T>
struct Q6K {
  static constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
  static constexpr int kRecordBytes = kLayout.record_bytes;
  static constexpr int kSteps = 2 * kSlabs;
  using Fetching = AheadToTheLine;

  /// Dot products of half a slab, 16 k of bits 4 and 5 in one vector.
  BALEEN_INLINE void dot_half(const std::byte* record, int half, const std::byte* x, __m512i (&dot)[T]) {
    const std::byte* slab = record + kLayout.codes + half / 2 * kSlab6Bytes;
    const std::byte* codes = slab + half % 2 * (kNibbleSlabBytes / 2);
    const __m512i mask = _mm512_set1_epi8(48), bits = load(slab + kNibbleSlabBytes + half % 2 * 64);
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) dot[t] = broadcast_int(x + (kSum16s256 + half * 4) * T + t * 4);
    x += half * 16 * T;
    const Pair first = nibbles(codes), second = nibbles(codes + 64);
    dot_group(add_bits<T>(first.low, _mm512_slli_epi16(bits, 4), mask), x, dot);
    dot_group(add_bits<T>(first.high, _mm512_slli_epi16(bits, 2), mask), x + T * 4, dot);
    dot_group(add_bits<T>(second.low, bits, mask), x + 2 * T * 4, dot);
    dot_group(add_bits<T>(second.high, _mm512_srli_epi16(bits, 2), mask), x + 3 * T * 4, dot);
  }

  /// Sub-scales of the rows.
  BALEEN_INLINE __m512i scales_of(const std::byte* record, int half) {
    return _mm512_cvtepi8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(record + kLayout.sub_scales + half * kPanelRows)));
  }

  /// sum[t] += sum_j (sc[j] * dot[j]) << shift[j / 2]
  BALEEN_INLINE void multiply_sub_blocks(const std::byte* record, const std::byte* x, Fetching& ahead,
                                         __m512i (&sum)[T]) {
    for (int half = 0; half < 2 * kSlabs; ++half) {
      ahead.step();
      __m512i dot[T];
      dot_half(record, half, x, dot);
      add_scaled<T>(dot, scales_of(record, half), x + (kShift256 + half / 2 * 4) * T, sum);
    }
  }

  /// The same where dot products are words, two at once.
  BALEEN_INLINE void multiply_pairs(const std::byte* record, const std::byte* x, Fetching& ahead,
                                    __m512i (&sum)[T]) {
    for (int i = 0; i < kSlabs; ++i) {
      ahead.step();
      ahead.step();
      const int even = i / 2 * 4 + i % 2,
                odd = even + 2;  // halves of two sub-blocks, whose shifts lie side by side
      __m512i first[T], second[T];
      dot_half(record, even, x, first);
      dot_half(record, odd, x, second);
      const __m512i scale = words_of(scales_of(record, even), scales_of(record, odd));
      add_pairs<T>(first, second, scale, x + (kShiftPairs256 + i / 2 * 4) * T, sum);
    }
  }

  template <bool kWords>
  BALEEN_INLINE void block(const std::byte* record, const std::byte* x, Fetching& ahead, __m512 (&out)[T]) {
    __m512i sum[T];
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
    if constexpr (kWords) {
      keep_in_memory(out);
      multiply_pairs(record, x, ahead, sum);
    } else {
      multiply_sub_blocks(record, x, ahead, sum);
    }
    const __m512 d = load_halves(record + kLayout.code_bytes);
    BALEEN_EACH_TOKEN
    for (int t = 0; t < T; ++t) add_scaled_sum(d, x + kScale256 * T + t * 4, sum[t], out[t]);
  }

  static void run(const MatmulTile& tile) { multiply_k<T, Q6K>(tile, kWordLimits6); }
};

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { for_tokens<WithMinima<Q4K>::Kernel>(tile); }
void multiply_q5_k(const MatmulTile& tile) { for_tokens<WithMinima<Q5K>::Kernel>(tile); }
void multiply_q6_k(const MatmulTile& tile) { for_tokens<Q6K>(tile); }

}  // namespace baleen::avx512
