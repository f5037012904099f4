// Kernels on rows of floats and on pages of the KV cache, one set per ISA.
#pragma once

namespace baleen {

struct RowKernels {};

}  // namespace baleen
