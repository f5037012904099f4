// The running softmax of attention (rules: kernels/ref/attention_rows.cc), 8 rows at once: their fixed trees are one
// transposition, their corrections one vector.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {
namespace {

/// Up to 8 neighbouring rows.
struct Group {
  const TileRows& rows;
  int64_t first;
  int count;

  [[gnu::always_inline]] float* scores(int row) const { return rows.scores + (first + row) * kTileKeys; }
};

/// All 8 rows see all keys.
struct AllKeys {
  BALEEN_INLINE bool has(const Group&, int) { return true; }
  BALEEN_INLINE __m256 seen(const Group&, int, int, __m256 x, __m256) { return x; }
};
/// What a row does not see is `other`.
struct SomeKeys {
  BALEEN_INLINE bool has(const Group& group, int row) { return row < group.count; }
  BALEEN_INLINE __m256 seen(const Group& group, int row, int v, __m256 x, __m256 other) {
    const __m256i mask = lane_mask(group.rows.visible[group.first + row], v);
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(mask));
  }
};

/// 32 lanes to 8.
template <class Fold>
BALEEN_INLINE __m256 fold_row(const __m256 (&x)[4], const Fold& fold) {
  return fold(fold(x[0], x[2]), fold(x[1], x[3]));
}

BALEEN_INLINE __m256 max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
BALEEN_INLINE __m256 add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }

template <class Keys>
BALEEN_INLINE __m256 row_maximum(const Group& group, int row) {
  const __m256 masked = _mm256_set1_ps(-__builtin_inff());
  if (!Keys::has(group, row)) return masked;
  __m256 x[4];
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v)
    x[v] = Keys::seen(group, row, v, _mm256_loadu_ps(group.scores(row) + 8 * v), masked);
  return fold_row(x, max);
}

/// Scores to probabilities; returns lanes to be added.
template <class Keys>
BALEEN_INLINE __m256 put_probabilities(const Group& group, int row) {
  if (!Keys::has(group, row)) return _mm256_setzero_ps();
  float* s = group.scores(row);
  const __m256 largest = _mm256_broadcast_ss(group.rows.max + group.first + row);
  __m256 p[4];
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) p[v] = _mm256_sub_ps(_mm256_loadu_ps(s + 8 * v), largest);
  exp_of_differences(p);
  BALEEN_UNROLL
  for (int v = 0; v < 4; ++v) {
    p[v] = Keys::seen(group, row, v, p[v], _mm256_setzero_ps());
    _mm256_storeu_ps(s + 8 * v, p[v]);
  }
  return fold_row(p, add);
}

/// m' and c.
template <class Keys>
void raise_maxima(const Group& group) {
  const __m256i there = lanes_left(group.count);
  const auto* seen = reinterpret_cast<const int*>(group.rows.visible + group.first);
  const __m256i none = _mm256_cmpeq_epi32(_mm256_maskload_epi32(seen, there), _mm256_setzero_si256());
  const __m256 blind = _mm256_castsi256_ps(none);
  __m256 pairs[4];
  BALEEN_UNROLL
  for (int q = 0; q < 4; ++q)
    pairs[q] = fold_pair(row_maximum<Keys>(group, q), row_maximum<Keys>(group, q + 4), max);
  const __m256 old_max = _mm256_maskload_ps(group.rows.max + group.first, there);
  const __m256 new_max = _mm256_blendv_ps(max(old_max, fold_pairs(pairs, max)), old_max, blind);
  const __m256 first = _mm256_cmp_ps(old_max, _mm256_set1_ps(-__builtin_inff()), _CMP_EQ_OQ);
  __m256 correction[1] = {_mm256_sub_ps(old_max, new_max)};
  exp_of_differences(correction);
  correction[0] = _mm256_blendv_ps(_mm256_andnot_ps(first, correction[0]), _mm256_set1_ps(1), blind);
  _mm256_maskstore_ps(group.rows.max + group.first, there, new_max);
  _mm256_maskstore_ps(group.rows.correction + group.first, there, correction[0]);
}

/// p and l.
template <class Keys>
void add_probabilities(const Group& group) {
  __m256 pairs[4];
  BALEEN_UNROLL
  for (int q = 0; q < 4; ++q) {
    const __m256 low = put_probabilities<Keys>(group, q);
    pairs[q] = fold_pair(low, put_probabilities<Keys>(group, q + 4), add);
  }
  const __m256i there = lanes_left(group.count);
  float* sums = group.rows.sum + group.first;
  const __m256 correction = _mm256_maskload_ps(group.rows.correction + group.first, there);
  const __m256 sum = _mm256_fmadd_ps(_mm256_maskload_ps(sums, there), correction, fold_pairs(pairs, add));
  _mm256_maskstore_ps(sums, there, sum);
}

bool all_see_all(const Group& group) {
  if (group.count != kTreeRows) return false;
  const auto* visible = reinterpret_cast<const __m256i*>(group.rows.visible + group.first);
  return _mm256_testc_si256(_mm256_loadu_si256(visible), _mm256_set1_epi32(-1)) != 0;
}

template <class Visit>
BALEEN_INLINE void for_each_group(const TileRows& rows, const Visit& visit) {
  for (int64_t r = 0; r < rows.count; r += kTreeRows)
    visit(Group{rows, r, rows.count - r < kTreeRows ? static_cast<int>(rows.count - r) : kTreeRows});
}

}  // namespace

/// First all maxima: a group's probabilities would wait for the end of its tree.
void softmax_tile(const TileRows& rows) {
  for_each_group(rows, [](const Group& group) {
    all_see_all(group) ? raise_maxima<AllKeys>(group) : raise_maxima<SomeKeys>(group);
  });
  for_each_group(rows, [](const Group& group) {
    all_see_all(group) ? add_probabilities<AllKeys>(group) : add_probabilities<SomeKeys>(group);
  });
}

}  // namespace baleen::avx2
