// Attention over pages of codes: avx2's with vpdpwssd, which adds what it multiplies.
#include "kernels/avx2/f16_attention.h"
#include "kernels/avx2/i8_attention.h"
#include "kernels/avxvnni/rows.h"
#include "kernels/avxvnni/vectors.h"

namespace baleen::avxvnni {

void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  scores_f16_by<AddedAtOnce>(queries, keys, dim, rows);
}
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  scores_i8_by<AddedAtOnce>(queries, keys, dim, rows);
}

void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  weighted_sum_f16_by<AddedAtOnce>(rows, values, dim, out);
}
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  weighted_sum_i8_by<AddedAtOnce>(rows, values, out);
}

}  // namespace baleen::avxvnni
