#include "kernels/emulated/avxvnni_kernels.h"

#include "kernels/avxvnni/matmul.h"
#include "kernels/avxvnni/rows.h"

namespace baleen::testing {

KernelTable avxvnni_kernels() {
  return {Isa::avxvnni, avxvnni::with_kernels(avx2_matmul_kernels()),
          avxvnni::with_kernels(avx2_row_kernels()), avx2_ceiling_kernels()};
}

}  // namespace baleen::testing
