// Products with K formats (formulas: kernels/ref/multiply_k.cc). 4- and 5-bit codes: vpmaddwd multiplies the
// 16-bit sums with the weight's sub-scale while it widens them. Q6_K: widened, then -32 * sum of the
// activations is added, then multiplied in 32 bits.
#include "kernels/avx2/matmul.h"
#include "kernels/avx2/vectors.h"

namespace baleen::avx2 {
namespace {

constexpr int kSlabs = 8;

/// Sub-scale j of 8 rows as two equal words each: byte j % 4 of their double words.
BALEEN_INLINE __m256i scale_pairs(const std::byte* sub_scales, int j) {
  const __m256i twice = _mm256_setr_epi8(0, -1, 0, -1, 4, -1, 4, -1, 8, -1, 8, -1, 12, -1, 12, -1,  //
                                         0, -1, 0, -1, 4, -1, 4, -1, 8, -1, 8, -1, 12, -1, 12, -1);
  const __m256i bytes = load(sub_scales + j / 4 * 64 + j % 4);
  return _mm256_and_si256(_mm256_shuffle_epi8(bytes, twice), _mm256_set1_epi16(63));
}

/// A token's shift, for _mm256_sll_epi32.
BALEEN_INLINE __m128i shift_count(const std::byte* from) {
  int32_t count;
  std::memcpy(&count, from, sizeof count);
  return _mm_cvtsi32_si128(count);
}

/// A format says: kType and dot(), the sums of slab j times the sub-scales of the half's rows ([half] pairs of words).
struct Q4K {
  static constexpr BlockType kType = BlockType::q4_k;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, int j, const std::byte* x, int64_t group_bytes,
                         const __m256i (&scale)[2], IntSums<N>& sums) {
    dot_slab_4<N>(codes + j * kNibbleSlabBytes, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_madd_epi16(sums.of[half][t], scale[half]);
  }
};

struct Q5K {
  static constexpr BlockType kType = BlockType::q5_k;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, int j, const std::byte* x, int64_t group_bytes,
                         const __m256i (&scale)[2], IntSums<N>& sums) {
    const std::byte* bits = codes + kSlabs * kNibbleSlabBytes + j * 64;
    codes += j * kNibbleSlabBytes;
    dot_half_slab_5<N, 0>(codes, bits, x, group_bytes, sums);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t) sums.of[half][t] = _mm256_madd_epi16(sums.of[half][t], scale[half]);
    IntSums<N> second;
    dot_half_slab_5<N, 2>(codes, bits, x, group_bytes, second);
    BALEEN_UNROLL
    for (int half = 0; half < 2; ++half) BALEEN_UNROLL
    for (int t = 0; t < N; ++t)
      sums.of[half][t] =
          _mm256_add_epi32(sums.of[half][t], _mm256_madd_epi16(second.of[half][t], scale[half]));
  }
};

/// What a K format's kernel goes through, block by block.
struct Cursor {
  const std::byte *codes, *scales, *x;
  int64_t tokens;  ///< of the tile

  void advance(PanelLayout layout) {
    codes += layout.record_bytes;
    scales += layout.record_bytes;
    x += kRecord256 * tokens;
  }
};
BALEEN_INLINE Cursor first_block(const Pass& pass, PanelLayout layout) {
  return {pass.panel, pass.panel + layout.code_bytes, pass.x, pass.tokens};
}

template <class Format>
struct WithMinima {
  template <int N>
  struct Kernel {
    BALEEN_INLINE void block(const Cursor& at, Ahead& ahead, Sums<N>& out) {
      const std::byte* sub_scales = at.codes + panel_layout(Format::kType).sub_scales;
      __m256i pair[4][2];
      unpack_minima(sub_scales, pair);
      IntSums<N> sum;
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) sum.of[0][t] = sum.of[1][t] = _mm256_setzero_si256();
      for (int j = 0; j < kSlabs; ++j) {
        ahead.step();
        const __m256i scale[2] = {scale_pairs(sub_scales, j), scale_pairs(sub_scales + 32, j)};
        IntSums<N> dot;
        Format::template dot<N>(at.codes, j, at.x + j * kSlab * at.tokens, at.tokens * 4, scale, dot);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m128i shift = shift_count(at.x + (kShift256 + j * 4) * at.tokens + t * 4);
          BALEEN_UNROLL
          for (int half = 0; half < 2; ++half)
            sum.of[half][t] = _mm256_add_epi32(sum.of[half][t], _mm256_sll_epi32(dot.of[half][t], shift));
        }
      }
      const IntSums<N> min = multiply_minima(pair, at);
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        const __m256 d = load_halves(at.scales + half * 16), dmin = load_halves(at.scales + 32 + half * 16);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 s = broadcast_float(at.x + kScale256 * at.tokens + t * 4);
          __m256 acc = out.of[half][t];
          acc = _mm256_fmadd_ps(_mm256_mul_ps(d, s), _mm256_cvtepi32_ps(sum.of[half][t]), acc);
          out.of[half][t] =
              _mm256_fnmadd_ps(_mm256_mul_ps(dmin, s), _mm256_cvtepi32_ps(min.of[half][t]), acc);
        }
      }
    }

    /// Minima 2j and 2j + 1 of each row as words, [half]. They wait in memory: the products of the codes need all
    /// registers.
    BALEEN_INLINE void unpack_minima(const std::byte* sub_scales, __m256i (&pair)[4][2]) {
      Pair four = nibbles(sub_scales + 128);
      add_bits<-2>(sub_scales, 48, four.low);
      add_bits<-2>(sub_scales + 64, 48, four.high);
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        pair[0][half] = _mm256_and_si256(four.low[half], _mm256_set1_epi16(255));
        pair[1][half] = _mm256_srli_epi16(four.low[half], 8);
        pair[2][half] = _mm256_and_si256(four.high[half], _mm256_set1_epi16(255));
        pair[3][half] = _mm256_srli_epi16(four.high[half], 8);
      }
      asm volatile("" : "+m"(pair));
    }

    /// sum_j min[j] * shifted sum of the activations, two j at once in int16.
    BALEEN_INLINE IntSums<N> multiply_minima(const __m256i (&pair)[4][2], const Cursor& at) {
      IntSums<N> sum;
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) sum.of[0][t] = sum.of[1][t] = _mm256_setzero_si256();
      BALEEN_UNROLL
      for (int j = 0; j < 4; ++j) {
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256i sums = broadcast_int(at.x + (kSums256 + j * 4) * at.tokens + t * 4);
          BALEEN_UNROLL
          for (int half = 0; half < 2; ++half)
            sum.of[half][t] = _mm256_add_epi32(sum.of[half][t], _mm256_madd_epi16(pair[j][half], sums));
        }
      }
      return sum;
    }

    static Sums<N> run(const Pass& pass) {
      constexpr PanelLayout kLayout = panel_layout(Format::kType);
      Cursor at = first_block(pass, kLayout);
      Ahead ahead = ahead_of(pass.ahead, pass.ahead_bytes, pass.cols / 256 * kSlabs);
      Sums<N> out = Sums<N>::zero();
      for (int64_t b = 0; b < pass.cols / 256; ++b, at.advance(kLayout)) block(at, ahead, out);
      return out;
    }
  };
};

template <int N>
struct Q6K {
  /// 16-bit sums of a k-group of one half of the rows: both halves' sums would not fit the registers.
  BALEEN_INLINE void dot_group_half(__m256i code, const std::byte* x, bool first_group, __m256i (&words)[N]) {
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      const __m256i product = _mm256_maddubs_epi16(code, broadcast_int(x + t * 4));
      words[t] = first_group ? product : _mm256_add_epi16(words[t], product);
      settle(words[t]);
    }
  }

  /// One half of sub-block j of 16: sum += ((dot - 32 * sum of activations) * sub-scale) << shift. Two k-groups fit 16
  /// bits: 2 * 2 * 63 * 127 = 32,004.
  BALEEN_INLINE void half_block(const Cursor& at, int j, int half, __m256i (&sum)[N]) {
    const std::byte* codes = at.codes + j * (kNibbleSlabBytes / 2) + half * 32;
    const std::byte* sub_scales = at.codes + panel_layout(BlockType::q6_k).sub_scales + j * kPanelRows;
    const __m256i bits = load(at.codes + kSlabs * kNibbleSlabBytes + j * 64 + half * 32);
    const __m256i mask = _mm256_set1_epi8(48), ones = _mm256_set1_epi16(1);
    const std::byte* x = at.x + j * 16 * at.tokens;
    const int64_t group_bytes = at.tokens * 4;
    const __m256i first = load(codes), second = load(codes + 64);
    __m256i words[N], more[N];
    dot_group_half(with_bits<4>(low_nibbles(first), bits, mask), x, true, words);
    dot_group_half(with_bits<2>(high_nibbles(first), bits, mask), x + group_bytes, false, words);
    dot_group_half(with_bits<0>(low_nibbles(second), bits, mask), x + 2 * group_bytes, true, more);
    dot_group_half(with_bits<-2>(high_nibbles(second), bits, mask), x + 3 * group_bytes, false, more);
    const __m256i scale =
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(sub_scales + half * 8)));
    BALEEN_UNROLL
    for (int t = 0; t < N; ++t) {
      const __m256i start = broadcast_int(at.x + (kSum16s256 + j * 4) * at.tokens + t * 4);
      const __m256i dot =
          _mm256_add_epi32(_mm256_madd_epi16(words[t], ones), _mm256_madd_epi16(more[t], ones));
      const __m256i scaled = _mm256_mullo_epi32(_mm256_add_epi32(dot, start), scale);
      const __m128i shift = shift_count(at.x + (kShift256 + j / 2 * 4) * at.tokens + t * 4);
      sum[t] = _mm256_add_epi32(sum[t], _mm256_sll_epi32(scaled, shift));
      settle(sum[t]);
    }
  }

  static Sums<N> run(const Pass& pass) {
    constexpr PanelLayout kLayout = panel_layout(BlockType::q6_k);
    Cursor at = first_block(pass, kLayout);
    Ahead ahead = ahead_of(pass.ahead, pass.ahead_bytes, pass.cols / 256 * 2 * kSlabs);
    Sums<N> out = Sums<N>::zero();
    for (int64_t b = 0; b < pass.cols / 256; ++b, at.advance(kLayout)) {
      IntSums<N> sum;
      BALEEN_UNROLL
      for (int t = 0; t < N; ++t) sum.of[0][t] = sum.of[1][t] = _mm256_setzero_si256();
      for (int j = 0; j < 2 * kSlabs; ++j) {
        ahead.step();
        half_block(at, j, 0, sum.of[0]);
        half_block(at, j, 1, sum.of[1]);
      }
      BALEEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        const __m256 d = load_halves(at.scales + half * 16);
        BALEEN_UNROLL
        for (int t = 0; t < N; ++t) {
          const __m256 scale = _mm256_mul_ps(d, broadcast_float(at.x + kScale256 * at.tokens + t * 4));
          out.of[half][t] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum.of[half][t]), out.of[half][t]);
        }
      }
    }
    return out;
  }
};

}  // namespace

void multiply_q4_k(const MatmulTile& tile) { for_tokens<WithMinima<Q4K>::Kernel>(tile); }
void multiply_q5_k(const MatmulTile& tile) { for_tokens<WithMinima<Q5K>::Kernel>(tile); }
void multiply_q6_k(const MatmulTile& tile) { for_tokens<Q6K>(tile); }

}  // namespace baleen::avx2
