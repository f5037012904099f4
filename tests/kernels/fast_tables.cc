#include "kernels/fast_tables.h"

#include "kernels/same_bits.h"

namespace baleen::testing {

std::vector<const KernelTable*> fast_tables() {
  std::vector<const KernelTable*> tables;
  for (const Isa isa : fast_isas()) tables.push_back(&kernels(isa));
  if (cpu_has(Isa::avx512)) {
    static KernelTable others[] = {kernels(Isa::avx512), kernels(Isa::avx512), kernels(Isa::avx512)};
    const VectorPipes own = avx512_core_traits().pipes;
    KernelTable* other = others;
    for (const VectorPipes pipes : {VectorPipes::halves, VectorPipes::whole, VectorPipes::shared}) {
      if (pipes == own) continue;
      other->matmul = avx512_matmul_kernels({pipes, false});
      other->rows = avx512_row_kernels({pipes, false});
      tables.push_back(other++);
    }
  }
  return tables;
}

std::vector<const KernelTable*> fast_row_tables() { return fast_tables(); }

}  // namespace baleen::testing
