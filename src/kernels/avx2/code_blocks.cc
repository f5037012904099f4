// Rows of floats as blocks of codes (kernels/code_blocks.h).
#include "kernels/code_blocks.h"

#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

BALEEN_INLINE __m256i fold(__m256i x, __m256i (*with)(__m256i, __m256i)) {
  x = with(x, _mm256_permute2x128_si256(x, x, 1));
  x = with(x, _mm256_shuffle_epi32(x, 0x4E));
  return with(x, _mm256_shuffle_epi32(x, 0xB1));
}

BALEEN_INLINE void put_codes(const __m256i (&x)[4], int8_t* codes) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(x[0], x[1]), _mm256_packs_epi32(x[2], x[3]));
  _mm256_store_si256(reinterpret_cast<__m256i*>(codes),
                     _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}
BALEEN_INLINE void put_codes(const __m256i (&x)[4], int16_t* codes) {
  BALEEN_UNROLL
  for (int v = 0; v < 4; v += 2)
    _mm256_store_si256(reinterpret_cast<__m256i*>(codes + 8 * v),
                       _mm256_permute4x64_epi64(_mm256_packs_epi32(x[v], x[v + 1]), 0b11011000));
}

struct Vectors {
  template <class Code>
  BALEEN_INLINE CodeBlock<Code> encode(const float* x, int64_t count) {
    __m256 values[4];
    __m256i largest = _mm256_setzero_si256(), sum = _mm256_setzero_si256(), codes[4];
    BALEEN_UNROLL
    for (int v = 0; v < 4; ++v) {
      values[v] = count == kCodeBlock ? Whole::load(x + 8 * v, 8) : Partial::load(x + 8 * v, count - 8 * v);
      largest = _mm256_max_epi32(
          largest, _mm256_and_si256(_mm256_castps_si256(values[v]), _mm256_set1_epi32(0x7FFFFFFF)));
    }
    largest = fold(largest, [](__m256i a, __m256i b) { return _mm256_max_epi32(a, b); });
    const BlockScale to =
        block_scale(static_cast<uint32_t>(_mm256_cvtsi256_si32(largest)), kLargestCode<Code>);
    const __m256i coded = _mm256_set1_epi32(to.factor == 0 ? 0 : -1);
    BALEEN_UNROLL
    for (int v = 0; v < 4; ++v) {
      codes[v] = _mm256_cvtps_epi32(_mm256_mul_ps(values[v], _mm256_set1_ps(to.factor)));
      codes[v] = _mm256_and_si256(codes[v], coded);
      sum = _mm256_add_epi32(sum, codes[v]);
    }
    CodeBlock<Code> block;
    put_codes(codes, block.codes);
    block.scale = to.scale;
    block.sum = _mm256_cvtsi256_si32(fold(sum, [](__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }));
    return block;
  }

  BALEEN_INLINE void interleave(const CodeBlock<int8_t>& block, int64_t count, int slot, int8_t* words) {
    const __m128i shift = _mm_cvtsi32_si128(slot % 4 * 8);
    const __m256i byte = _mm256_sll_epi32(_mm256_set1_epi32(0xFF), shift);
    for (int64_t i = 0; i < count; i += 8, words += 32) {
      const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.codes + i));
      const __m256i place = _mm256_sll_epi32(_mm256_cvtepu8_epi32(codes), shift);
      const auto merge = [&](__m256i old) { return _mm256_or_si256(_mm256_andnot_si256(byte, old), place); };
      if (count - i >= 8) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), merge(Whole::words(words, 8)));
      } else {
        _mm256_maskstore_epi32(reinterpret_cast<int*>(words), lanes_left(count - i),
                               merge(Partial::words(words, count - i)));
      }
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
}

}  // namespace baleen::avx2
