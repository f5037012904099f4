// The avx512 kernels of products, twins of kernels/ref.
#pragma once

#include "kernels/matmul_kernels.h"

namespace baleen::avx512 {

void arrange_floats(const ActivationTile& tile);
void quantise_blocks32(const ActivationTile& tile);
void quantise_blocks256(const ActivationTile& tile);
void quantise_for_sums(const ActivationTile& tile);

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
// The same where loads bound a core (VectorPipes::whole): shuffles spread some activations to the lanes.
void multiply_q4_0_by_shuffles(const MatmulTile& tile);
void multiply_q5_0_by_shuffles(const MatmulTile& tile);
void multiply_q8_0_by_shuffles(const MatmulTile& tile);
void multiply_i8_by_shuffles(const MatmulTile& tile);

void multiply_q4_k(const MatmulTile& tile);
void multiply_q4_k_by_sums(const MatmulTile& tile);  ///< the same, of tiles quantised for it
void multiply_q4_k_tiles_by_sums(const MatmulTiles& tiles);
void multiply_q5_k(const MatmulTile& tile);
void multiply_q6_k(const MatmulTile& tile);

ExpandedKernels expanded_q5_k();
ExpandedKernels expanded_q6_k();

}  // namespace baleen::avx512
