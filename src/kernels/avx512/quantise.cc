// Rows of floats to the tiles that the kernels take (kernels/quantise_blocks.h, quantise_eight.h).
#include "kernels/avx512/matmul.h"
#include "kernels/avx512/quantise_eight.h"
#include "kernels/quantise_blocks.h"

namespace baleen::avx512 {
namespace {

struct Slab {
  BALEEN_INLINE uint32_t largest(const float* x) {
    return static_cast<uint32_t>(_mm512_reduce_max_epi32(_mm512_max_epi32(magnitude(x), magnitude(x + 16))));
  }

  BALEEN_INLINE CodeSums put(const float* x, float factor, int tokens, std::byte* out) {
    const auto any = static_cast<__mmask16>(factor == 0 ? 0 : 0xFFFF);
    const __m512i codes =
        _mm512_maskz_cvtps_epi32(any, _mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(factor)));
    const __m128i bytes = _mm512_cvtepi32_epi8(codes);
    if (tokens == 1) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    } else {
      put_value(out, _mm_cvtsi128_si32(bytes));
      put_value(out + tokens * 4, _mm_extract_epi32(bytes, 1));
      put_value(out + tokens * 8, _mm_extract_epi32(bytes, 2));
      put_value(out + tokens * 12, _mm_extract_epi32(bytes, 3));
    }
    return code_sums(
        _mm512_reduce_add_epi32(_mm512_add_epi32(codes, _mm512_slli_epi32(_mm512_abs_epi32(codes), 16))));
  }
};

}  // namespace

void quantise_blocks32(const ActivationTile& tile) {
  tile.tokens == kEight ? quantise_tile_of_eight_32<Eight>(tile) : quantise_tile_32<Slab>(tile);
}

void quantise_blocks256(const ActivationTile& tile) {
  tile.tokens == kEight ? quantise_tile_of_eight_256<Eight>(tile) : quantise_tile_256<Slab>(tile);
}

}  // namespace baleen::avx512
