#include "kernels/core_traits.h"

#include <x86intrin.h>

#include <cstdint>

#include "kernels/avx512/in_order.h"

namespace baleen {
namespace {

using namespace avx512;

// A sample takes less than a microsecond, so that most pass undisturbed; all of them several times what a core takes to
// wake up the upper halves of its pipes.
constexpr int kRounds = 40, kSamples = 1000;

constexpr int kSums = 12;  // that do not wait for each other, more than latency times pipes

BALEEN_INLINE void add_dot_of_32_bytes(__m256i& sum, __m256i a) {
  asm volatile("vpdpbusd %1, %1, %0" : "+v"(sum) : "v"(a));
}

void multiply_32() {
  __m256i sums[kSums] = {};
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (__m256i& sum : sums) add_dot_of_32_bytes(sum, _mm256_set1_epi8(1));
}

template <bool kAdds>
void multiply_64() {
  __m512i sums[kSums] = {};
  const __m512i ones = _mm512_set1_epi8(1);
  for (int round = 0; round < kRounds; ++round)
#pragma GCC unroll 12
    for (__m512i& sum : sums) {
      in_order::add_dot_of_bytes(sum, ones, ones);
      if constexpr (kAdds) in_order::add_bytes(ones, ones);
    }
}

/// What a call takes.
uint64_t time_of(void (*loop)()) {
  const uint64_t start = __rdtsc();
  loop();
  return __rdtsc() - start;
}

}  // namespace

CoreTraits avx512_core_traits() {
  int in_halves = 0, shared = 0;  // of the samples, most of which say so
  for (int i = 0; i < kSamples; ++i) {
    const uint64_t half = time_of(multiply_32);
    const uint64_t whole = time_of(multiply_64<false>), both = time_of(multiply_64<true>);
    // as 1 to 1 or as 1 to 2: halfway between
    in_halves += 2 * whole > 3 * half;
    shared += 2 * both > 3 * whole;
  }
  VectorPipes pipes = VectorPipes::whole;
  if (shared > kSamples / 2)
    pipes = VectorPipes::shared;
  else if (in_halves > kSamples / 2)
    pipes = VectorPipes::halves;
  return {pipes, pipes == VectorPipes::halves && __builtin_cpu_is("amd")};
}

}  // namespace baleen
