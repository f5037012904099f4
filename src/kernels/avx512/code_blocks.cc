// Rows of floats as blocks of codes (kernels/code_blocks.h).
#include "kernels/code_blocks.h"

#include "kernels/avx512/rows.h"
#include "kernels/avx512/word_sums.h"

namespace baleen::avx512 {
namespace {

BALEEN_INLINE void put_codes(__m512i a, __m512i b, int8_t* codes) {
  _mm_store_si128(reinterpret_cast<__m128i*>(codes), _mm512_cvtepi32_epi8(a));
  _mm_store_si128(reinterpret_cast<__m128i*>(codes + 16), _mm512_cvtepi32_epi8(b));
}
BALEEN_INLINE void put_codes(__m512i a, __m512i b, int16_t* codes) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(codes), _mm512_cvtepi32_epi16(a));
  _mm256_store_si256(reinterpret_cast<__m256i*>(codes + 16), _mm512_cvtepi32_epi16(b));
}

struct Vectors {
  template <class Code>
  BALEEN_INLINE CodeBlock<Code> encode(const float* x, int64_t count) {
    const __m512 low = _mm512_maskz_loadu_ps(lanes_left(count), x);
    const __m512 high =
        count > 16 ? _mm512_maskz_loadu_ps(lanes_left(count - 16), x + 16) : _mm512_setzero_ps();
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    const __m512i largest = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                                             _mm512_and_si512(_mm512_castps_si512(high), magnitude));
    const BlockScale to =
        block_scale(static_cast<uint32_t>(_mm512_reduce_max_epi32(largest)), kLargestCode<Code>);
    const auto coded = static_cast<__mmask16>(to.factor == 0 ? 0 : 0xFFFF);
    const __m512 factor = _mm512_set1_ps(to.factor);
    const __m512i a = _mm512_maskz_cvtps_epi32(coded, _mm512_mul_ps(low, factor));
    const __m512i b = _mm512_maskz_cvtps_epi32(coded, _mm512_mul_ps(high, factor));
    CodeBlock<Code> block;
    put_codes(a, b, block.codes);
    block.scale = to.scale;
    block.sum = _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
    return block;
  }

  BALEEN_INLINE void interleave(const CodeBlock<int8_t>& block, int64_t count, int slot, int8_t* words) {
    const __mmask64 bytes = uint64_t{0x1111111111111111} << slot % 4;
    for (int64_t i = 0; i < count; i += 16, words += 64) {
      const __mmask16 there = lanes_left(count - i);
      const __m128i codes = _mm_load_si128(reinterpret_cast<const __m128i*>(block.codes + i));
      const __m512i place = _mm512_sll_epi32(_mm512_cvtepu8_epi32(codes), _mm_cvtsi32_si128(slot % 4 * 8));
      const __m512i old = _mm512_maskz_loadu_epi32(there, words);
      _mm512_mask_storeu_epi32(words, there, _mm512_mask_mov_epi8(old, bytes, place));
    }
  }
};

}  // namespace

void store_keys_i8(const HeadRows& rows, int8_t* keys) { store_i8_keys<Vectors>(rows, keys); }
void store_values_i8(const HeadRows& rows, int8_t* values) { store_i8_values<Vectors>(rows, values); }
void quantise_queries_i8(const float* queries, int64_t rows, int64_t dim, const I8Queries& out) {
  encode_i8_queries<Vectors>(queries, rows, dim, out);
}
void quantise_queries_i16(const float* queries, int64_t rows, int64_t dim, const I16Queries& out) {
  encode_i16_queries<Vectors>(queries, rows, dim, out);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t b = 0; b < dim / kCodeBlock; ++b)
      out.taken[r * code_blocks(dim) + b] =
          word_sums::taken_of(out.codes + r * i16_padded(dim) + b * kCodeBlock);
}

}  // namespace baleen::avx512
