#include "kernels/ceilings.h"

#include <immintrin.h>

namespace baleen {
namespace {

constexpr int kChains = 10;  // more than latency * throughput of any core so far

/// Eight vpmaddubsw are summed in 16 bits before one vpmaddwd (docs/NUMERICS.md).
int64_t multiply_int8(int64_t rounds) {
  constexpr int kSums = 4, kGroups = 8;
  __m256i sums[kSums];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i weights = _mm256_set1_epi8(3);
  for (int64_t round = 0; round < rounds; ++round) {
    __m256i words[kSums];
#pragma GCC unroll 8
    for (int group = 0; group < kGroups; ++group) {
#pragma GCC unroll 4
      for (int i = 0; i < kSums; ++i) {
        asm volatile(""
                     : "+x"(weights));  // a new value as far as the compiler knows: no product is used twice
        const __m256i product = _mm256_maddubs_epi16(weights, weights);
        words[i] = group == 0 ? product : _mm256_add_epi16(words[i], product);
        asm volatile("" : "+x"(words[i]));  // added here, not after all products
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(words[i], ones));
  }
  for (__m256i& sum : sums) asm volatile("" : "+x"(sum));
  return rounds * kSums * kGroups * 32;
}

int64_t multiply_float(int64_t rounds) {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_setzero_ps();
  __m256 factor = _mm256_set1_ps(0.5f);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(factor));
#pragma GCC unroll 10
    for (int i = 0; i < kChains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, factor);
  }
  for (__m256& sum : sums) asm volatile("" : "+x"(sum));
  return rounds * kChains * 8 * 2;
}

uint32_t read(const std::byte* from, int64_t bytes) {
  __m256i sums[4] = {};
  for (int64_t i = 0; i < bytes; i += 128)
#pragma GCC unroll 4
    for (int lane = 0; lane < 4; ++lane)
      sums[lane] = _mm256_add_epi32(
          sums[lane], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i + lane * 32)));
  const __m256i sum =
      _mm256_add_epi32(_mm256_add_epi32(sums[0], sums[1]), _mm256_add_epi32(sums[2], sums[3]));
  return static_cast<uint32_t>(_mm256_extract_epi32(sum, 0));
}

}  // namespace

CeilingKernels avx2_ceiling_kernels() {
  return {.multiply_int8 = multiply_int8, .multiply_float = multiply_float, .read = read};
}

}  // namespace baleen
