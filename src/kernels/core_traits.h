// How a core with AVX-512 works inside, which decides what its fastest kernels are (docs/kernels/products.md).
#pragma once

namespace baleen {

/// What takes vectors of 64 bytes.
enum class VectorPipes {
  halves,  ///< 32 bytes wide: two turns, and additions run beside multiplications (Zen 4)
  whole,  ///< 64 bytes wide: one turn, so two loads a cycle bound multiplying; additions run beside it (Zen 5)
  shared,  ///< 64 bytes wide: the same ones add and multiply (Intel's since Skylake-SP)
};

struct CoreTraits {
  VectorPipes pipes;
  /// Its own prefetchers follow a stream of weights better alone (Zen 4).
  bool follows_streams;

  bool adds_beside_multiplying() const { return pipes != VectorPipes::shared; }
  /// Two products by one multiplication and two additions.
  bool multiplies_sums() const { return pipes == VectorPipes::halves; }
};

/// Measured, in a fifth of a millisecond: cores of one name are made with pipes of either width. Needs
/// Isa::avx512.
CoreTraits avx512_core_traits();

}  // namespace baleen
