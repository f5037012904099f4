// The kernels that are compared with ref.
#pragma once

#include <vector>

#include "kernels/kernel_table.h"

namespace baleen::testing {

/// Of this CPU (fast_tables.cc), or the emulated ones (emulated/fast_tables.cc); avx512 once for
/// each kind of VectorPipes.
std::vector<const KernelTable*> fast_tables();
/// Those of them whose row kernels are not ref's.
std::vector<const KernelTable*> fast_row_tables();

}  // namespace baleen::testing
