#include "kernels/core_traits.h"

#include <immintrin.h>
#include <x86intrin.h>

#include <cstdint>

namespace baleen {
namespace {

// A sample takes less than a microsecond, so that most pass undisturbed; all of them several times what a core takes to
// wake up the upper halves of its pipes.
constexpr int kRounds = 40, kSamples = 1000;

/// Twelve sums that do not wait for each other, more than latency times pipes.
#define BALEEN_TWELVE(instruction)                                                                         \
  instruction(0) instruction(1) instruction(2) instruction(3) instruction(4) instruction(5) instruction(6) \
      instruction(7) instruction(8) instruction(9) instruction(10) instruction(11)
#define BALEEN_MULTIPLY_32(i) "vpdpbusd %%ymm28, %%ymm29, %%ymm" #i "\n"
#define BALEEN_MULTIPLY_64(i) "vpdpbusd %%zmm28, %%zmm29, %%zmm" #i "\n"
#define BALEEN_BOTH_64(i) BALEEN_MULTIPLY_64(i) "vpaddb %%zmm28, %%zmm29, %%zmm30\n"
#define BALEEN_LOOP(body)                                                                              \
  int64_t rounds = kRounds;                                                                            \
  asm volatile("1:\n" body "dec %0\njnz 1b"                                                            \
               : "+r"(rounds)                                                                          \
               :                                                                                       \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
                 "xmm10", "xmm11", "xmm28", "xmm29", "xmm30")

void multiply_32() { BALEEN_LOOP(BALEEN_TWELVE(BALEEN_MULTIPLY_32)); }
void multiply_64() { BALEEN_LOOP(BALEEN_TWELVE(BALEEN_MULTIPLY_64)); }
void multiply_and_add_64() { BALEEN_LOOP(BALEEN_TWELVE(BALEEN_BOTH_64)); }

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
    const uint64_t half = time_of(multiply_32), whole = time_of(multiply_64),
                   both = time_of(multiply_and_add_64);
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
