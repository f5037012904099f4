#include "kernels/ref/row_kernels.h"

namespace baleen {

RowKernels ref_row_kernels() {
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
      .store_keys_i8 = ref::store_keys_i8,
      .store_values_i8 = ref::store_values_i8,
      .keys_of_values_i8 = ref::keys_of_values_i8,
      .quantise_queries = ref::quantise_queries,
      .transpose = ref::transpose,
      .scores = ref::scores,
      .scores_i8 = ref::scores_i8,
      .softmax_tile = ref::softmax_tile,
      .weighted_sum = ref::weighted_sum,
      .weighted_sum_i8 = ref::weighted_sum_i8,
      .divide = ref::divide,
  };
}

}  // namespace baleen
