#include "kernels/fast_tables.h"

namespace baleen::testing {

std::vector<const KernelTable*> fast_tables() {
  std::vector<const KernelTable*> tables;
  for (const Isa isa : {Isa::avx2, Isa::avx512})
    if (cpu_has(isa)) tables.push_back(&kernels(isa));
  return tables;
}

}  // namespace baleen::testing
