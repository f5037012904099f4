#include "kernels/ceilings.h"

namespace baleen {
namespace {

constexpr int kLanes = 32;

int64_t multiply_int8(int64_t rounds) {
  int32_t sums[kLanes] = {};
  for (int64_t round = 0; round < rounds; ++round) {
    const auto a = static_cast<int8_t>(round);
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a * static_cast<int8_t>(lane);
    asm volatile("" : : "r"(sums) : "memory");
  }
  return rounds * kLanes;
}

int64_t multiply_float(int64_t rounds) {
  float sums[kLanes] = {};
  for (int64_t round = 0; round < rounds; ++round) {
    for (float& sum : sums) sum = __builtin_fmaf(sum, 0.5f, 1.0f);
    asm volatile("" : : "r"(sums) : "memory");
  }
  return rounds * kLanes * 2;
}

uint32_t read(const std::byte* from, int64_t bytes) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < bytes; i += 64) {
    uint32_t value;
    __builtin_memcpy(&value, from + i, sizeof value);
    sum += value;
  }
  return sum;
}

}  // namespace

CeilingKernels ref_ceiling_kernels() {
  return {.multiply_int8 = multiply_int8, .multiply_float = multiply_float, .read = read};
}

}  // namespace baleen
