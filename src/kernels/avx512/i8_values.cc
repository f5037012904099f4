// Attention's second product over an i8 page (rules: kernels/ref/i8_values.cc). For some blocks of 32 dimensions the
// weights of 16 rows become bytes, four neighbouring keys to a 32-bit word; then tiles sum their products.
#include "kernels/avx512/integer_values.h"

namespace baleen::avx512 {
namespace {

constexpr int kKeyGroups = kTileKeys / 4;
constexpr int kBatch =
    4;  // blocks whose weights are made one after the other: each waits long for its maxima

/// The weights of a block: of two rows, words 4 g and 4 g + 1 (2, 3: the second row) are keys 4 g … and 16 + 4 g ….
struct Weights {
  alignas(64) uint32_t words[kGroupRows / 2][2 * kKeyGroups];
  alignas(64) float factor[kGroupRows];
  alignas(64) float step[kGroupRows];
};

struct Bytes {
  static constexpr int kSteps = kKeyGroups;
  static constexpr int word(int row, int g) {
    return row / 2 * 2 * kKeyGroups + g % 4 * 4 + row % 2 * 2 + g / 4;
  }
  BALEEN_INLINE __m512i add(__m512i sum, __m512i weights, __m512i codes) {
    return _mm512_dpbusd_epi32(sum, weights, codes);
  }
};

template <class Keys>
BALEEN_INLINE void put_codes(const Group& group, const Lanes& scales, Weights& weights) {
  BALEEN_UNROLL
  for (int r = 0; r < kGroupRows; r += 2) {
    if (r >= Keys::count(group)) break;
    const int second = r + 1 < Keys::count(group) ? r + 1 : r;
    const __m512i a = weight_codes(Keys::weigh(group, r, scales), weights.factor[r]);
    const __m512i b = weight_codes(Keys::weigh(group, second, scales), weights.factor[second]);
    _mm512_store_si512(weights.words[r / 2], _mm512_packus_epi16(a, b));
  }
}

template <class Keys>
void quantise_weights(const Group& group, const float* scales, int blocks, Weights* weights) {
  for (int b = 0; b < blocks; ++b)
    find_steps<Keys>(group, load_lanes(scales + b * kTileKeys), 255, weights[b].factor, weights[b].step);
  for (int b = 0; b < blocks; ++b) put_codes<Keys>(group, load_lanes(scales + b * kTileKeys), weights[b]);
}

/// Rows that all see a key of the page.
void sum_group(const Group& group, const I8Values& values, float* out) {
  const auto quantise = sees_all(group) ? quantise_weights<Whole> : quantise_weights<Partial>;
  Weights weights[kBatch];
  for (int64_t d = 0; d < values.dim; d += kBatch * kCodeBlock) {
    const int64_t blocks = code_blocks(values.dim - d) < kBatch ? code_blocks(values.dim - d) : kBatch;
    quantise(group, values.scales + d, static_cast<int>(blocks), weights);  // 32 scales for 32 dimensions
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t at = d + b * kCodeBlock;
      const auto* codes = reinterpret_cast<const std::byte*>(values.codes + at * 4);
      for (int r = 0; r < group.count; r += kValueRows) {
        const int count = group.count - r < kValueRows ? group.count - r : kValueRows;
        kSumRows<Bytes>[count - 1]({weights[b].words[r / 2], weights[b].step + r, codes, values.stride,
                                    out + r * values.dim + at, values.dim},
                                   values.dim - at);
      }
    }
  }
}

}  // namespace

void weighted_sum_i8(const TileRows& rows, const I8Values& values, float* out) {
  correct_sums(rows, values.dim, out);
  for (int64_t r = 0; r < rows.count; ++r) {
    int count = 0;
    while (count < kGroupRows && r + count < rows.count && rows.visible[r + count] != 0) ++count;
    if (count == 0) continue;
    sum_group({rows, r, count}, values, out + r * values.dim);
    r += count - 1;
  }
}

}  // namespace baleen::avx512
