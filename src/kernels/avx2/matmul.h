// The avx2 kernels of products, twins of kernels/ref.
#pragma once

#include "kernels/matmul_kernels.h"

namespace baleen::avx2 {

void arrange_floats(const ActivationTile& tile);
void quantise_blocks32(const ActivationTile& tile);
void quantise_blocks256(const ActivationTile& tile);

void multiply_f32(const MatmulTile& tile);
void multiply_f16(const MatmulTile& tile);
void multiply_bf16(const MatmulTile& tile);
void multiply_f8_e4m3(const MatmulTile& tile);

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

}  // namespace baleen::avx2
