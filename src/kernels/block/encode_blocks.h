// One block each; encode.h is the door.
#pragma once

#include <cstddef>

namespace baleen {

// 32 values
void encode_q8_0(const float* values, std::byte* block);
void encode_q4_0(const float* values, std::byte* block);
void encode_q4_1(const float* values, std::byte* block);
void encode_q5_0(const float* values, std::byte* block);
void encode_q5_1(const float* values, std::byte* block);

// 256 values
void encode_q4_k(const float* values, std::byte* block);
void encode_q5_k(const float* values, std::byte* block);
void encode_q6_k(const float* values, std::byte* block);

}  // namespace baleen
