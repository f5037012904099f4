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
      .store_values_f32 = ref::store_values_f32,
      .store_keys_f16 = ref::store_keys_f16,
      .store_values_f16 = ref::store_values_f16,
      .store_latents_f16 = ref::store_latents_f16,
      .store_keys_i8 = ref::store_keys_i8,
      .store_values_i8 = ref::store_values_i8,
      .keys_of_values_i8 = ref::keys_of_values_i8,
      .quantise_queries_i8 = ref::quantise_queries_i8,
      .quantise_queries_i16 = ref::quantise_queries_i16,
      .transpose_f32 = ref::transpose_f32,
      .keys_of_latents_f16 = ref::keys_of_latents_f16,
      .values_of_latents_f16 = ref::values_of_latents_f16,
      .scores_f32 = ref::scores_f32,
      .scores_f16 = ref::scores_f16,
      .scores_i8 = ref::scores_i8,
      .softmax_tile = ref::softmax_tile,
      .weighted_sum_f32 = ref::weighted_sum_f32,
      .weighted_sum_f16 = ref::weighted_sum_f16,
      .weighted_sum_i8 = ref::weighted_sum_i8,
      .divide = ref::divide,
  };
}

}  // namespace baleen
