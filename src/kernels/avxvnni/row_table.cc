#include "kernels/avxvnni/rows.h"

namespace baleen {

RowKernels avxvnni_row_kernels() { return avxvnni::with_kernels(avx2_row_kernels()); }

}  // namespace baleen
