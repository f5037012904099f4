#include "kernels/avx512/matmul.h"
#include "kernels/ref/matmul.h"

namespace baleen {

MatmulKernels avx512_matmul_kernels(const CoreTraits& core) {
  MatmulKernels all = {
      .floats = ref::arrange_floats,
      .blocks32 = avx512::quantise_blocks32,
      .blocks256 = avx512::quantise_blocks256,
      .f32 = avx512::multiply_f32,
      .f16 = avx512::multiply_f16,
      .bf16 = avx512::multiply_bf16,
      .f8_e4m3 = avx512::multiply_f8_e4m3,
      .q4_0 = avx512::multiply_q4_0,
      .q4_1 = avx512::multiply_q4_1,
      .q5_0 = avx512::multiply_q5_0,
      .q5_1 = avx512::multiply_q5_1,
      .q8_0 = avx512::multiply_q8_0,
      .i8 = avx512::multiply_i8,
      .q4_k = avx512::multiply_q4_k,
      .q5_k = avx512::multiply_q5_k,
      .q6_k = avx512::multiply_q6_k,
  };
  if (core.multiplies_sums()) {
    all.sums256 = avx512::quantise_for_sums;
    all.q4_k = avx512::multiply_q4_k_by_sums;
    all.q4_k_tiles = avx512::multiply_q4_k_tiles_by_sums;
  }
  if (core.pipes == VectorPipes::whole) {
    all.q4_0 = avx512::multiply_q4_0_by_shuffles;
    all.q5_0 = avx512::multiply_q5_0_by_shuffles;
    all.q8_0 = avx512::multiply_q8_0_by_shuffles;
    all.i8 = avx512::multiply_i8_by_shuffles;
  }
  if (core.pipes == VectorPipes::shared) {
    all.q5_k_expanded = avx512::expanded_q5_k();
    all.q6_k_expanded = avx512::expanded_q6_k();
  }
  if (!core.follows_streams) {
    all.lead.one_row_of_k = all.lead.few_rows = 8 << 10;
    if (core.pipes != VectorPipes::whole) all.lead.one_row = 8 << 10;
  }
  return all;
}

}  // namespace baleen
