#include "kernels/ceilings.h"

#include "kernels/avx512/vectors.h"

namespace baleen {
namespace {

constexpr int kChains = 16;  // more than latency * throughput of any core so far

int64_t multiply_int8(int64_t rounds) {
  __m512i sums[kChains];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  __m512i weights = _mm512_set1_epi8(3);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(weights));  // a new value as far as the compiler knows
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], weights, weights);
  }
  for (__m512i& sum : sums) asm volatile("" : "+v"(sum));
  return rounds * kChains * 64;
}

int64_t multiply_float(int64_t rounds) {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  __m512 factor = _mm512_set1_ps(0.5f);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(factor));
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, factor);
  }
  for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  return rounds * kChains * 16 * 2;
}

uint32_t read(const std::byte* from, int64_t bytes) {
  __m512i sums[4] = {};
  for (int64_t i = 0; i < bytes; i += 256)
#pragma GCC unroll 4
    for (int lane = 0; lane < 4; ++lane)
      sums[lane] = _mm512_add_epi32(sums[lane], avx512::load(from + i + lane * 64));
  const __m512i sum =
      _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
  return static_cast<uint32_t>(_mm512_reduce_add_epi32(sum));
}

}  // namespace

CeilingKernels avx512_ceiling_kernels() {
  return {.multiply_int8 = multiply_int8, .multiply_float = multiply_float, .read = read};
}

}  // namespace baleen
