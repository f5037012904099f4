// Products with weights in blocks of 32 (formulas: kernels/ref/multiply_32.cc).
#include "kernels/avx2/blocks_32.h"
#include "kernels/avxvnni/matmul.h"
#include "kernels/avxvnni/vectors.h"

namespace baleen::avxvnni {
namespace {

/// Codes of kBits, 4 or 5; kOffset: kOffset8 of Blocks32.
template <BlockType kBlockType, int kBits, int kOffset>
struct SmallCodes {
  static constexpr BlockType kType = kBlockType;
  static constexpr int kOffset8 = kOffset;
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    clear<N>(sums);
    add_slab<kBits, N>(codes, x, group_bytes, sums);
  }
};
using Q40 = SmallCodes<BlockType::q4_0, 4, 0>;
using Q41 = SmallCodes<BlockType::q4_1, 4, -1>;
using Q50 = SmallCodes<BlockType::q5_0, 5, 1>;
using Q51 = SmallCodes<BlockType::q5_1, 5, -1>;

struct Q80 {
  static constexpr BlockType kType = BlockType::q8_0;
  static constexpr int kOffset8 = 4;  // int8 + 128
  template <int N>
  BALEEN_INLINE void dot(const std::byte* codes, const std::byte* x, int64_t group_bytes, IntSums<N>& sums) {
    constexpr int kHalves = halves_at_once(N);
    const __m256i flip = _mm256_set1_epi8(-128);
    clear<N>(sums);
    BALEEN_UNROLL
    for (int g = 0; g < 8; ++g) {
      __m256i code[kHalves];
      BALEEN_UNROLL
      for (int half = 0; half < kHalves; ++half)
        code[half] = _mm256_xor_si256(load(codes + g * 64 + half * 32), flip);
      add_group<N>(code, x + g * group_bytes, sums);
    }
  }
};

/// Any type of small numbers under a float32 scale: their panels are alike.
struct I8 : Q80 {
  static constexpr BlockType kType = BlockType::iq4_nl;
};

}  // namespace

void multiply_q4_0(const MatmulTile& tile) { for_tokens<Blocks32<Q40>::Kernel>(tile); }
void multiply_q4_1(const MatmulTile& tile) { for_tokens<Blocks32<Q41>::Kernel>(tile); }
void multiply_q5_0(const MatmulTile& tile) { for_halves<Blocks32<Q50>::Kernel>(tile); }
void multiply_q5_1(const MatmulTile& tile) { for_halves<Blocks32<Q51>::Kernel>(tile); }
void multiply_q8_0(const MatmulTile& tile) { for_tokens<Blocks32<Q80>::Kernel>(tile); }
void multiply_i8(const MatmulTile& tile) { for_tokens<Blocks32<I8>::Kernel>(tile); }

}  // namespace baleen::avxvnni
