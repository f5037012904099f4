#include "kernels/ref/matmul.h"

namespace baleen {

MatmulKernels ref_matmul_kernels() {
  return {
      .floats = ref::arrange_floats,
      .blocks32 = ref::quantise_blocks32,
      .blocks256 = ref::quantise_blocks256,
      .f32 = ref::multiply_f32,
      .f16 = ref::multiply_f16,
      .bf16 = ref::multiply_bf16,
      .f8_e4m3 = ref::multiply_f8_e4m3,
      .q4_0 = ref::multiply_q4_0,
      .q4_1 = ref::multiply_q4_1,
      .q5_0 = ref::multiply_q5_0,
      .q5_1 = ref::multiply_q5_1,
      .q8_0 = ref::multiply_q8_0,
      .i8 = ref::multiply_i8,
      .q4_k = ref::multiply_q4_k,
      .q5_k = ref::multiply_q5_k,
      .q6_k = ref::multiply_q6_k,
  };
}

}  // namespace baleen
