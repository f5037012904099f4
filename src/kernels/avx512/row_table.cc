#include "kernels/avx512/rows.h"
#include "kernels/ref/row_kernels.h"

namespace baleen {

RowKernels avx512_row_kernels(const CoreTraits& core) {
  const bool by_sums = core.adds_beside_multiplying();
  return {
      .rms_norm = avx512::rms_norm,
      .rotate_neighbours = avx512::rotate_neighbours,
      .rotate_halves = avx512::rotate_halves,
      .silu_mul = avx512::silu_mul,
      .add = avx512::add,
      .scale = avx512::scale,
      .store_keys_f32 = ref::store_keys_f32,
      .store_values_f32 = ref::store_values_f32,
      .store_keys_f16 = avx512::store_keys_f16,
      .store_values_f16 = avx512::store_values_f16,
      .store_latents_f16 = avx512::store_latents_f16,
      .store_keys_i8 = avx512::store_keys_i8,
      .store_values_i8 = avx512::store_values_i8,
      .keys_of_values_i8 = avx512::keys_of_values_i8,
      .quantise_queries_i8 = avx512::quantise_queries_i8,
      .quantise_queries_i16 = avx512::quantise_queries_i16,
      .transpose_f32 = avx512::transpose_f32,
      .keys_of_latents_f16 = avx512::keys_of_latents_f16,
      .values_of_latents_f16 = avx512::values_of_latents_f16,
      .scores_f32 = avx512::scores_f32,
      .scores_f16 = by_sums ? avx512::scores_f16_by_sums : avx512::scores_f16,
      .scores_i8 = avx512::scores_i8,
      .softmax_tile = avx512::softmax_tile,
      .weighted_sum_f32 = avx512::weighted_sum_f32,
      .weighted_sum_f16 = by_sums ? avx512::weighted_sum_f16_by_sums : avx512::weighted_sum_f16,
      .weighted_sum_i8 = avx512::weighted_sum_i8,
      .divide = avx512::divide,
  };
}

}  // namespace baleen
