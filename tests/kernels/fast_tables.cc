#include "kernels/fast_tables.h"

namespace baleen::testing {

std::vector<const KernelTable*> fast_tables() {
  std::vector<const KernelTable*> tables;
  for (const Isa isa : {Isa::avx2, Isa::avx512})
    if (cpu_has(isa)) tables.push_back(&kernels(isa));
  if (cpu_has(Isa::avx512)) {
    static KernelTable other = kernels(Isa::avx512);
    other.matmul = avx512_matmul_kernels(!adds_beside_multiplying());
    other.rows = avx512_row_kernels(!adds_beside_multiplying());
    tables.push_back(&other);
  }
  return tables;
}

}  // namespace baleen::testing
