// The kernels of one instruction set: the one door to code that depends on the CPU. Every ISA fills the whole table
// and gives the same bits as `ref`, which is the specification (docs/NUMERICS.md).
#pragma once

#include <optional>
#include <string_view>

#include "kernels/ceilings.h"
#include "kernels/matmul_kernels.h"
#include "kernels/row_kernels.h"

namespace baleen {

/// avxvnni: AVX2 and VNNI without AVX-512 (Intel's since Alder Lake); avx512: F, BW, VL, DQ and VNNI.
enum class Isa { ref, avx2, avxvnni, avx512 };
/// From the slowest to the fastest.
constexpr Isa kIsas[] = {Isa::ref, Isa::avx2, Isa::avxvnni, Isa::avx512};

std::optional<Isa> parse_isa(std::string_view name);
std::string_view name(Isa isa);
bool cpu_has(Isa isa);
Isa best_isa();  ///< CHECKs for AVX2; main refuses older CPUs before anything is loaded

struct KernelTable {
  Isa isa;
  MatmulKernels matmul;     ///< products with weights
  RowKernels rows;          ///< everything else: norms, rope, attention, …
  CeilingKernels ceilings;  ///< what the machine can do at most
};

const KernelTable& kernels(Isa isa);

}  // namespace baleen
