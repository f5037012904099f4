#include "kernels/matmul_kernels.h"

namespace baleen {

Scheme scheme_of(const MatmulKernels& kernels, BlockType type) {
  if (type == BlockType::q4_k && kernels.sums256 != nullptr) return Scheme::sums256;
  switch (panel_layout(type).values) {
    case 32:
      return Scheme::blocks32;
    case 256:
      return Scheme::blocks256;
    default:
      return Scheme::floats;
  }
}

ArrangeTile arrange_kernel(const MatmulKernels& kernels, Scheme scheme) {
  switch (scheme) {
    case Scheme::floats:
      return kernels.floats;
    case Scheme::blocks32:
      return kernels.blocks32;
    case Scheme::blocks256:
      return kernels.blocks256;
    case Scheme::sums256:
      return kernels.sums256;
  }
  __builtin_unreachable();
}

MultiplyTile multiply_kernel(const MatmulKernels& kernels, BlockType type) {
  switch (type) {
    case BlockType::f32:
      return kernels.f32;
    case BlockType::f16:
      return kernels.f16;
    case BlockType::bf16:
      return kernels.bf16;
    case BlockType::f8_e4m3:
      return kernels.f8_e4m3;
    case BlockType::q4_0:
      return kernels.q4_0;
    case BlockType::q4_1:
      return kernels.q4_1;
    case BlockType::q5_0:
      return kernels.q5_0;
    case BlockType::q5_1:
      return kernels.q5_1;
    case BlockType::q8_0:
      return kernels.q8_0;
    case BlockType::q4_k:
      return kernels.q4_k;
    case BlockType::q5_k:
      return kernels.q5_k;
    case BlockType::q6_k:
      return kernels.q6_k;
    default:
      return panel_layout(type).scales == PanelScales::floats ? kernels.i8 : nullptr;
  }
}

MultiplyTiles multiply_tiles_kernel(const MatmulKernels& kernels, BlockType type) {
  switch (type) {
    case BlockType::q4_k:
      return kernels.q4_k_tiles;
    case BlockType::q6_k:
      return kernels.q6_k_tiles;
    default:
      return nullptr;
  }
}

const ExpandedKernels* expanded_kernels(const MatmulKernels& kernels, BlockType type) {
  const auto present = [](const ExpandedKernels& expanded) {
    return expanded.multiply == nullptr ? nullptr : &expanded;
  };
  switch (type) {
    case BlockType::q5_k:
      return present(kernels.q5_k_expanded);
    case BlockType::q6_k:
      return present(kernels.q6_k_expanded);
    default:
      return nullptr;
  }
}

}  // namespace baleen
