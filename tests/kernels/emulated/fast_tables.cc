// The avx512 and avxvnni kernels of products, compiled a second time for AVX2.
#include "kernels/fast_tables.h"

#include "kernels/avx512/matmul.h"
#include "kernels/emulated/avxvnni_kernels.h"

namespace baleen::testing {

std::vector<const KernelTable*> fast_tables() {
  static KernelTable table = kernels(Isa::ref);
  table.isa = Isa::avx512;
  table.matmul = {
      .floats = table.matmul.floats,
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
      .q5_k_expanded = avx512::expanded_q5_k(),
      .q6_k_expanded = avx512::expanded_q6_k(),
  };
  static KernelTable by_sums = table;
  by_sums.matmul.sums256 = avx512::quantise_for_sums;
  by_sums.matmul.q4_k = avx512::multiply_q4_k_by_sums;
  by_sums.matmul.q4_k_tiles = avx512::multiply_q4_k_tiles_by_sums;
  static KernelTable by_shuffles = table;
  by_shuffles.matmul.q4_0 = avx512::multiply_q4_0_by_shuffles;
  by_shuffles.matmul.q5_0 = avx512::multiply_q5_0_by_shuffles;
  by_shuffles.matmul.q8_0 = avx512::multiply_q8_0_by_shuffles;
  by_shuffles.matmul.i8 = avx512::multiply_i8_by_shuffles;
  return {&table, &by_sums, &by_shuffles, fast_row_tables()[0]};
}

std::vector<const KernelTable*> fast_row_tables() {
  static const KernelTable vnni = avxvnni_kernels();
  return {&vnni};
}

}  // namespace baleen::testing
