// What this machine can do at most, measured: the figures that products are compared with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baleen {

struct Compute;

/// Loops that do nothing but one thing, one set per ISA.
struct CeilingKernels {
  int64_t (*multiply_int8)(int64_t rounds);  ///< returns the multiply-adds done
  int64_t (*multiply_float)(
      int64_t rounds);  ///< returns the float operations done, a fused multiply-add is two
  uint32_t (*read)(const std::byte* from, int64_t bytes);  ///< returns some sum; bytes a multiple of 256
};

CeilingKernels ref_ceiling_kernels();
CeilingKernels avx2_ceiling_kernels();
CeilingKernels avxvnni_ceiling_kernels();
CeilingKernels avx512_ceiling_kernels();

struct Ceilings {
  double int8_gmac_s, fp32_gflop_s, read_gb_s;
};

/// All threads at once, the best of some short runs: about 0.3 s in all. read_gb_s is of memory that no cache holds.
Ceilings measure_ceilings(const Compute& compute);

}  // namespace baleen
