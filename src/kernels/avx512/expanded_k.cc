// Panels of Q5_K and Q6_K laid open for several tiles, and their products. Where all vector pipes of a core multiply,
// whatever unpacks a panel takes a multiplication's place. So it is done once for all tiles: codes become bytes, and
// each sub-scale a 32-bit number for each of the exponents that a sub-block of activations may have, so that one
// vpdpwssd takes a dot product that is a word (docs/kernels/products.md, "Where all pipes multiply").
#include "kernels/avx512/k_blocks.h"
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/with_minima.h"

namespace baleen::avx512 {
namespace {

constexpr int kVector = 64;  // bytes: four k of 16 rows as codes, or a number of each
constexpr int kSlabVectors = 8;
constexpr int kShifts = kMaxShift + 1;

/// Where a format has what belongs to 256 columns: vectors of codes [64 k-groups] and of shifted sub-scales
/// [kSubs][kShifts], in the low words of lanes; minima as unpack_minima() makes them; floats: the rows' scales, and
/// what minima are multiplied by. A format says besides: kType, the limits of dot products that are words, a slab's
/// codes, a sub-block's sub-scales.
template <int kSubBlocks, bool kHasMinima>
struct Expanded {
  static constexpr int kSubs = kSubBlocks, kGroups = 64 / kSubs;
  static constexpr bool kMinima = kHasMinima;
  static constexpr int kScales = 64 * kVector, kMins = kScales + kSubs * kShifts * kVector;
  static constexpr int kScale = kMins + (kMinima ? 4 * kVector : 0), kMin = kScale + kVector;
  static constexpr int kBytes = kMinima ? kMin + kVector : kMin;
};

/// A slab's nibbles as bytes.
BALEEN_INLINE void nibbles_of(const std::byte* slab, __m512i (&codes)[kSlabVectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    const Pair pair = nibbles(slab + v * kVector);
    codes[2 * v] = pair.low;
    codes[2 * v + 1] = pair.high;
  }
}

struct ExpandedQ5K : Expanded<8, true> {
  static constexpr BlockType kType = BlockType::q5_k;
  static constexpr WordLimits kLimits = word_limits(31);

  BALEEN_INLINE void codes_of(const std::byte* slabs, int slab, __m512i (&codes)[kSlabVectors]) {
    slabs += slab * kSlab5Bytes;
    nibbles_of(slabs, codes);
    const __m512i bits = load(slabs + kNibbleSlabBytes);
#pragma GCC unroll 8
    for (int g = 0; g < kSlabVectors; ++g) {
      const __m512i bit = _mm512_and_si512(_mm512_srli_epi16(bits, g), _mm512_set1_epi8(1));
      codes[g] = _mm512_or_si512(codes[g], _mm512_slli_epi16(bit, 4));
    }
  }
  BALEEN_INLINE __m512i scale_of(const std::byte* sub_scales, int sub) {
    const __m512i four = load(sub_scales + sub / 4 * kVector);
    return _mm512_and_si512(_mm512_srl_epi32(four, _mm_cvtsi32_si128(sub % 4 * 8)), _mm512_set1_epi32(63));
  }
};

struct ExpandedQ6K : Expanded<16, false> {
  static constexpr BlockType kType = BlockType::q6_k;
  static constexpr WordLimits kLimits = kWordLimits6;

  BALEEN_INLINE void codes_of(const std::byte* slabs, int slab, __m512i (&codes)[kSlabVectors]) {
    slabs += slab * kSlab6Bytes;
    nibbles_of(slabs, codes);
#pragma GCC unroll 8
    for (int g = 0; g < kSlabVectors; ++g) {
      const __m512i bits = _mm512_srli_epi16(load(slabs + kNibbleSlabBytes + g / 4 * kVector), g % 4 * 2);
      const __m512i two = _mm512_and_si512(bits, _mm512_set1_epi8(3));
      codes[g] = _mm512_or_si512(codes[g], _mm512_slli_epi16(two, 4));
    }
  }
  BALEEN_INLINE __m512i scale_of(const std::byte* sub_scales, int sub) {
    return _mm512_cvtepi8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(sub_scales + sub * kPanelRows)));
  }
};

template <class Format>
BALEEN_INLINE void expand_block(const std::byte* record, std::byte* out) {
  constexpr PanelLayout kLayout = panel_layout(Format::kType);
  for (int slab = 0; slab < kSlabs; ++slab) {
    __m512i codes[kSlabVectors];
    Format::codes_of(record + kLayout.codes, slab, codes);
#pragma GCC unroll 8
    for (int g = 0; g < kSlabVectors; ++g)
      _mm512_store_si512(out + (slab * kSlabVectors + g) * kVector, codes[g]);
  }
  std::byte* to = out + Format::kScales;
  for (int sub = 0; sub < Format::kSubs; ++sub) {
    __m512i scale = Format::scale_of(record + kLayout.sub_scales, sub);
    for (int shift = 0; shift < kShifts; ++shift, to += kVector, scale = _mm512_slli_epi32(scale, 1))
      _mm512_store_si512(to, _mm512_and_si512(scale, _mm512_set1_epi32(0xFFFF)));
  }
  const std::byte* const scales = record + kLayout.code_bytes;
  _mm512_store_ps(out + Format::kScale, load_halves(scales));
  if constexpr (Format::kMinima) {
    __m512i minima[4];
    unpack_minima<1>(record + kLayout.sub_scales, minima);
    for (int j = 0; j < 4; ++j) _mm512_store_si512(out + Format::kMins + j * kVector, minima[j]);
    _mm512_store_ps(out + Format::kMin, load_halves(scales + 32));
  }
}

template <class Format>
void expand(const std::byte* panel, int64_t cols, std::byte* out) {
  for (int64_t k = 0; k < cols; k += 256, out += Format::kBytes) {
    expand_block<Format>(panel, out);
    panel += panel_layout(Format::kType).record_bytes;
  }
}

/// Of low words beside zeros.
BALEEN_INLINE __m512i sign_extended(__m512i words) {
  const __m512i sign = _mm512_set1_epi32(0x8000);
  return _mm512_sub_epi32(_mm512_xor_si512(words, sign), sign);
}

template <class Format>
struct Product {
  template <int T>
  struct Kernel {
    static constexpr int kRecordBytes = Format::kBytes, kSteps = 1;
    using Fetching = Ahead;

    /// Its dot products.
    BALEEN_INLINE void multiply_sub_block(const std::byte* block, int sub, const std::byte* x,
                                          __m512i (&dot)[T]) {
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t)
        dot[t] =
            Format::kMinima ? _mm512_setzero_si512() : broadcast_int(x + (kSum16s256 + sub * 4) * T + t * 4);
#pragma GCC unroll 8
      for (int g = sub * Format::kGroups; g < (sub + 1) * Format::kGroups; ++g)
        dot_group(load(block + g * kVector), x + g * T * 4, dot);
    }

    /// sum[t] += sum_j dot[j] * (sc[j] << shift[j])
    template <bool kWords>
    BALEEN_INLINE void multiply_sub_blocks(const std::byte* block, const std::byte* x, __m512i (&sum)[T]) {
      for (int sub = 0; sub < Format::kSubs; ++sub) {
        __m512i dot[T];
        multiply_sub_block(block, sub, x, dot);
        const std::byte* const scales = block + Format::kScales + sub * kShifts * kVector;
        const std::byte* const shifts = x + (kShift256 + sub * kSlabs / Format::kSubs * 4) * T;
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) {
          int32_t shift;
          std::memcpy(&shift, shifts + t * 4, sizeof shift);
          const __m512i scale = load(scales + int64_t{shift} * kVector);
          sum[t] = kWords ? _mm512_dpwssd_epi32(sum[t], dot[t], scale)
                          : _mm512_add_epi32(sum[t], _mm512_mullo_epi32(dot[t], sign_extended(scale)));
        }
      }
    }

    template <bool kWords>
    BALEEN_INLINE void block(const std::byte* block, const std::byte* x, Ahead& ahead, __m512 (&out)[T]) {
      ahead.step();
      __m512i sum[T];
      BALEEN_EACH_TOKEN
      for (int t = 0; t < T; ++t) sum[t] = _mm512_setzero_si512();
      multiply_sub_blocks<kWords>(block, x, sum);
      const __m512 scale = _mm512_load_ps(block + Format::kScale);
      const std::byte* const token_scales = x + kScale256 * T;
      if constexpr (Format::kMinima) {
        const BlockScales scales{scale, _mm512_load_ps(block + Format::kMin)};
        __m512i minima[4], min[T];
        for (int j = 0; j < 4; ++j) minima[j] = load(block + Format::kMins + j * kVector);
        multiply_minima<T>(minima, x, min);
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) scales.add(sum[t], min[t], token_scales + t * 4, out[t]);
      } else {
        BALEEN_EACH_TOKEN
        for (int t = 0; t < T; ++t) add_scaled_sum(scale, token_scales + t * 4, sum[t], out[t]);
      }
    }

    static void run(const MatmulTile& tile) { multiply_k<T, Kernel>(tile, Format::kLimits); }
  };

  static void run(const MatmulTile& tile) {
    static_assert(kExpandedTokens == 6);
    if (tile.tokens == 6) return Kernel<6>::run(tile);
    if (tile.tokens == 7) return Kernel<7>::run(tile);
    Kernel<8>::run(tile);
  }
};

template <class Format>
constexpr ExpandedKernels kKernels = {
    .block_bytes = Format::kBytes, .expand = expand<Format>, .multiply = Product<Format>::run};

}  // namespace

ExpandedKernels expanded_q5_k() { return kKernels<ExpandedQ5K>; }
ExpandedKernels expanded_q6_k() { return kKernels<ExpandedQ6K>; }

}  // namespace baleen::avx512
