#include "kernels/avx2/i8_attention.h"

namespace baleen::avx2 {

void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows) {
  scores_i8_by<MultipliedThenAdded>(queries, keys, dim, rows);
}

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  weighted_sum_i8_by<MultipliedThenAdded>(rows, values, out);
}

}  // namespace baleen::avx2
