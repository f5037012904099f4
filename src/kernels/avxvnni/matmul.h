// The kernels of products with AVX-VNNI, twins of kernels/ref. What is not here is avx2's.
#pragma once

#include "kernels/matmul_kernels.h"

namespace baleen::avxvnni {

void multiply_q4_0(const MatmulTile& tile);
void multiply_q4_1(const MatmulTile& tile);
void multiply_q5_0(const MatmulTile& tile);
void multiply_q5_1(const MatmulTile& tile);
void multiply_q8_0(const MatmulTile& tile);
void multiply_i8(const MatmulTile& tile);

void multiply_q4_k(const MatmulTile& tile);
void multiply_q5_k(const MatmulTile& tile);
void multiply_q6_k(const MatmulTile& tile);

void multiply_tiles_q4_k(const MatmulTiles& tiles);
void multiply_tiles_q6_k(const MatmulTiles& tiles);

/// The same table with the kernels above.
[[maybe_unused]] static MatmulKernels with_kernels(MatmulKernels all) {
  all.q4_0 = multiply_q4_0;
  all.q4_1 = multiply_q4_1;
  all.q5_0 = multiply_q5_0;
  all.q5_1 = multiply_q5_1;
  all.q8_0 = multiply_q8_0;
  all.i8 = multiply_i8;
  all.q4_k = multiply_q4_k;
  all.q5_k = multiply_q5_k;
  all.q6_k = multiply_q6_k;
  all.q4_k_tiles = multiply_tiles_q4_k;
  all.q6_k_tiles = multiply_tiles_q6_k;
  return all;
}

}  // namespace baleen::avxvnni
