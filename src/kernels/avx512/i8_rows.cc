// Scores of i8 keys (rules: kernels/ref/i8_rows.cc). vpdpbusd multiplies unsigned by signed bytes: keys are taken as
// key + 128, and 128 times the query's codes is taken off beforehand.
#include "kernels/avx512/integer_scores.h"

namespace baleen::avx512 {
namespace {

struct Bytes {
  static constexpr int kSteps = kCodeBlock / 4;
  BALEEN_INLINE __m512i start(const CodedQueries& queries, int64_t at) {
    return _mm512_set1_epi32(-128 * queries.sums[at]);
  }
  BALEEN_INLINE __m512i codes(const std::byte* from) {
    return _mm512_xor_si512(load(from), _mm512_set1_epi8(static_cast<char>(0x80)));
  }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i key, __m512i query) {
    return _mm512_dpbusd_epi32(sum, key, query);
  }
};

}  // namespace

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  const int64_t padded = i8_padded(dim);
  const auto* codes = reinterpret_cast<const std::byte*>(queries.codes);
  const auto* scales = reinterpret_cast<const float*>(keys + kTileKeys * padded);
  add_scores<Bytes>({codes, padded, queries.scales, queries.sums, code_blocks(dim)},
                    {reinterpret_cast<const std::byte*>(keys), scales, padded / 4, true}, rows);
}

}  // namespace baleen::avx512
