// Exact unpacking of one block of the types without integer kernels that are no codebooks of vectors.
// Layouts: ggml's block structures as described by the PyPI package gguf; OCP Microscaling Formats v1.0 for
// MXFP4. Values per block: 256 for Q2_K, Q3_K, IQ4_XS, TQ1_0, TQ2_0; 64 for NVFP4; 32 for IQ4_NL, MXFP4.
#pragma once

#include <cstddef>

namespace baleen {

void unpack_q2_k(const std::byte* block, float* out);
void unpack_q3_k(const std::byte* block, float* out);
void unpack_iq4_nl(const std::byte* block, float* out);
void unpack_iq4_xs(const std::byte* block, float* out);
void unpack_mxfp4(const std::byte* block, float* out);
void unpack_nvfp4(const std::byte* block, float* out);
void unpack_tq1_0(const std::byte* block, float* out);
void unpack_tq2_0(const std::byte* block, float* out);

}  // namespace baleen
