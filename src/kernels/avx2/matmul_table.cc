#include "kernels/avx2/matmul.h"
#include "kernels/ref/matmul.h"

namespace baleen {

MatmulKernels avx2_matmul_kernels() {
  return {
      .floats = ref::arrange_floats,
      .blocks32 = avx2::quantise_blocks32,
      .blocks256 = avx2::quantise_blocks256,
      .f32 = avx2::multiply_f32,
      .f16 = avx2::multiply_f16,
      .bf16 = avx2::multiply_bf16,
      .f8_e4m3 = avx2::multiply_f8_e4m3,
      .q4_0 = avx2::multiply_q4_0,
      .q4_1 = avx2::multiply_q4_1,
      .q5_0 = avx2::multiply_q5_0,
      .q5_1 = avx2::multiply_q5_1,
      .q8_0 = avx2::multiply_q8_0,
      .i8 = avx2::multiply_i8,
      .q4_k = avx2::multiply_q4_k,
      .q5_k = avx2::multiply_q5_k,
      .q6_k = avx2::multiply_q6_k,
      .q4_k_tiles = avx2::multiply_tiles_q4_k,
      .q6_k_tiles = avx2::multiply_tiles_q6_k,
      .lead = {.one_row = 1 << 10, .one_row_of_k = 1 << 10, .few_rows = 4 << 10},
  };
}

}  // namespace baleen
