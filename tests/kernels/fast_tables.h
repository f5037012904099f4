// The kernels that are compared with ref.
#pragma once

#include <vector>

#include "kernels/kernel_table.h"

namespace baleen::testing {

/// Of this CPU (fast_tables.cc), or the emulated ones (emulated/fast_tables.cc); avx512 once for
/// each kind of VectorPipes.
std::vector<const KernelTable*> fast_tables();

}  // namespace baleen::testing
