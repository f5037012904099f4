#include "kernels/kernel_table.h"

namespace baleen {

const KernelTable& kernels(Isa isa) {
  switch (isa) {  // a table's functions are compiled for its ISA: only the one asked for may run
    case Isa::ref: {
      static const KernelTable table{Isa::ref, ref_matmul_kernels(), ref_row_kernels(),
                                     ref_ceiling_kernels()};
      return table;
    }
    case Isa::avx2: {
      static const KernelTable table{Isa::avx2, avx2_matmul_kernels(), avx2_row_kernels(),
                                     avx2_ceiling_kernels()};
      return table;
    }
    case Isa::avxvnni: {
      static const KernelTable table{Isa::avxvnni, avxvnni_matmul_kernels(), avxvnni_row_kernels(),
                                     avxvnni_ceiling_kernels()};
      return table;
    }
    case Isa::avx512: {
      static const CoreTraits core = avx512_core_traits();
      static const KernelTable table{Isa::avx512, avx512_matmul_kernels(core), avx512_row_kernels(core),
                                     avx512_ceiling_kernels()};
      return table;
    }
  }
  __builtin_unreachable();
}

}  // namespace baleen
