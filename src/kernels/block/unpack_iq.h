// Exact unpacking of one block of ggml's codebook types (IQ1 to IQ3): 256 values each. Layouts: ggml's block
// structures as described by the PyPI package gguf; `block` need not be aligned.
#pragma once

#include <cstddef>

namespace baleen {

void unpack_iq2_xxs(const std::byte* block, float* out);
void unpack_iq2_xs(const std::byte* block, float* out);
void unpack_iq2_s(const std::byte* block, float* out);
void unpack_iq3_xxs(const std::byte* block, float* out);
void unpack_iq3_s(const std::byte* block, float* out);
void unpack_iq1_s(const std::byte* block, float* out);
void unpack_iq1_m(const std::byte* block, float* out);

}  // namespace baleen
