#pragma once

#include "kernels/kernel_table.h"

namespace baleen::testing {

/// The emulated ones (avxvnni_by_avx2.h).
KernelTable avxvnni_kernels();

}  // namespace baleen::testing
