#include "kernels/avx2/rows.h"
#include "kernels/ref/row_kernels.h"

namespace baleen {

RowKernels avx2_row_kernels() {
  return {
      .rms_norm = avx2::rms_norm,
      .rotate_neighbours = avx2::rotate_neighbours,
      .rotate_halves = avx2::rotate_halves,
      .silu_mul = avx2::silu_mul,
      .add = avx2::add,
      .scale = avx2::scale,
      .store_keys_f32 = ref::store_keys_f32,
      .store_values_f32 = ref::store_values_f32,
      .store_keys_f16 = avx2::store_keys_f16,
      .store_values_f16 = avx2::store_values_f16,
      .store_latents_f16 = avx2::store_latents_f16,
      .store_keys_i8 = avx2::store_keys_i8,
      .store_values_i8 = avx2::store_values_i8,
      .keys_of_values_i8 = avx2::keys_of_values_i8,
      .quantise_queries_i8 = avx2::quantise_queries_i8,
      .quantise_queries_i16 = avx2::quantise_queries_i16,
      .transpose_f32 = avx2::transpose_f32,
      .keys_of_latents_f16 = avx2::keys_of_latents_f16,
      .values_of_latents_f16 = avx2::values_of_latents_f16,
      .scores_f32 = avx2::scores_f32,
      .scores_f16 = avx2::scores_f16,
      .scores_i8 = avx2::scores_i8,
      .softmax_tile = avx2::softmax_tile,
      .weighted_sum_f32 = avx2::weighted_sum_f32,
      .weighted_sum_f16 = avx2::weighted_sum_f16,
      .weighted_sum_i8 = avx2::weighted_sum_i8,
      .divide = avx2::divide,
  };
}

}  // namespace baleen
