// Kernels of products with packed weights, one set per ISA.
#pragma once

namespace baleen {

struct MatmulKernels {};

}  // namespace baleen
