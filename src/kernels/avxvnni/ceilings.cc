#include "kernels/ceilings.h"

#include "kernels/avxvnni/vectors.h"

namespace baleen {
namespace {

constexpr int kChains = 12;  // more than latency * throughput of any core so far

int64_t multiply_int8(int64_t rounds) {
  __m256i sums[kChains];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i codes = _mm256_set1_epi8(3);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(codes));
#pragma GCC unroll 12
    for (__m256i& sum : sums) avxvnni::add_dot_of_bytes(sum, codes, codes);
  }
  for (__m256i& sum : sums) asm volatile("" : "+x"(sum));
  return rounds * kChains * 32;
}

}  // namespace

CeilingKernels avxvnni_ceiling_kernels() {
  CeilingKernels all = avx2_ceiling_kernels();
  all.multiply_int8 = multiply_int8;
  return all;
}

}  // namespace baleen
