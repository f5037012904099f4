#include "kernels/fast_tables.h"

#include "kernels/avx512/matmul.h"

namespace baleen::testing {

std::vector<const KernelTable*> fast_tables() {
  std::vector<const KernelTable*> tables;
  for (const Isa isa : {Isa::avx2, Isa::avx512})
    if (cpu_has(isa)) tables.push_back(&kernels(isa));
  if (cpu_has(Isa::avx512)) {
    static KernelTable other = kernels(Isa::avx512);
    const bool by_sums = kernels(Isa::avx512).matmul.q4_k == avx512::multiply_q4_k_by_sums;
    other.matmul.q4_k = by_sums ? avx512::multiply_q4_k : avx512::multiply_q4_k_by_sums;
    tables.push_back(&other);
  }
  return tables;
}

}  // namespace baleen::testing
