// The row kernels of AVX-VNNI, twins of kernels/ref. What is not here is avx2's.
#pragma once

#include "kernels/row_kernels.h"

namespace baleen::avxvnni {

void scores_f16(const I16Queries& queries, const int16_t* keys, int64_t dim, const TileRows& rows);
void scores_i8(const I8Queries& queries, const int8_t* keys, int64_t dim, const TileRows& rows);

void weighted_sum_f16(const TileRows& rows, const int16_t* values, int64_t dim, float* out);
void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out);

/// The same table with the kernels above.
[[maybe_unused]] static RowKernels with_kernels(RowKernels all) {
  all.scores_f16 = scores_f16;
  all.scores_i8 = scores_i8;
  all.weighted_sum_f16 = weighted_sum_f16;
  all.weighted_sum_i8 = weighted_sum_i8;
  return all;
}

}  // namespace baleen::avxvnni
