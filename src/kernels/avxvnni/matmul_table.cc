#include "kernels/avxvnni/matmul.h"

namespace baleen {

MatmulKernels avxvnni_matmul_kernels() { return avxvnni::with_kernels(avx2_matmul_kernels()); }

}  // namespace baleen
