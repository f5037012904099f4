#include "kernels/avxvnni/rows.h"

namespace baleen {

RowKernels avxvnni_row_kernels() {
  RowKernels all = avx2_row_kernels();
  all.scores_f16 = avxvnni::scores_f16;
  all.scores_i8 = avxvnni::scores_i8;
  all.weighted_sum_f16 = avxvnni::weighted_sum_f16;
  all.weighted_sum_i8 = avxvnni::weighted_sum_i8;
  return all;
}

}  // namespace baleen
