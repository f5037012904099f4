#include "kernels/ref/row_kernels.h"

namespace baleen {

RowKernels avx2_row_kernels() {
  return {
      .rms_norm = ref::rms_norm,
      .rotate_neighbours = ref::rotate_neighbours,
      .rotate_halves = ref::rotate_halves,
      .silu_mul = ref::silu_mul,
      .add = ref::add,
      .scale = ref::scale,
      .store_keys_f32 = ref::store_keys_f32,
      .store_keys_f16 = ref::store_keys_f16,
      .store_values_f32 = ref::store_values_f32,
      .store_values_f16 = ref::store_values_f16,
      .widen_f16 = ref::widen_f16,
      .scores = ref::scores,
      .softmax_tile = ref::softmax_tile,
      .weighted_sum = ref::weighted_sum,
      .divide = ref::divide,
  };
}

}  // namespace baleen
