#include "kernels/avx2/f16_attention.h"

namespace baleen::avx2 {

void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows) {
  scores_f16_by<MultipliedThenAdded>(queries, keys, dim, rows);
}

void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out) {
  weighted_sum_f16_by<MultipliedThenAdded>(rows, values, dim, out);
}

}  // namespace baleen::avx2
