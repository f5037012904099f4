#pragma once

#include "kernels/matmul_kernels.h"

namespace baleen::testing {

/// The emulated ones (avxvnni_by_avx2.h).
MatmulKernels avxvnni_kernels();

}  // namespace baleen::testing
