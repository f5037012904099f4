#include "kernels/emulated/avxvnni_kernels.h"

#include "kernels/avxvnni/matmul.h"

namespace baleen::testing {

MatmulKernels avxvnni_kernels() { return avxvnni::with_kernels(avx2_matmul_kernels()); }

}  // namespace baleen::testing
