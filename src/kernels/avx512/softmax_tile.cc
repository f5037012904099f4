// The running softmax of attention (rules: kernels/ref/attention_rows.cc), 16 rows at once: their fixed trees are one
// transposition, their corrections one vector.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {
namespace {

/// Up to 16 neighbouring rows.
struct Group {
  const TileRows& rows;
  int64_t first;
  int count;

  [[gnu::always_inline]] float* scores(int row) const { return rows.scores + (first + row) * kTileKeys; }
};

/// All 16 rows see all keys.
struct Whole {
  BALEEN_INLINE bool has(const Group&, int) { return true; }
  BALEEN_INLINE __m512 load(const Group& group, int row, int from) {
    return _mm512_loadu_ps(group.scores(row) + from);
  }
  BALEEN_INLINE __m512 seen(const Group&, int, int, __m512 p) { return p; }
};
struct Partial {
  BALEEN_INLINE bool has(const Group& group, int row) { return row < group.count; }
  BALEEN_INLINE __mmask16 seen(const Group& group, int row, int from) {
    return static_cast<__mmask16>(group.rows.visible[group.first + row] >> from);
  }
  BALEEN_INLINE __m512 load(const Group& group, int row, int from) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(-__builtin_inff()), seen(group, row, from),
                                group.scores(row) + from);
  }
  BALEEN_INLINE __m512 seen(const Group& group, int row, int from, __m512 p) {
    return _mm512_maskz_mov_ps(seen(group, row, from), p);
  }
};

/// The maxima of the rows' visible scores.
template <class Keys>
BALEEN_INLINE __m512 tile_maxima(const Group& group) {
  const auto max = [](__m512 a, __m512 b) { return _mm512_max_ps(a, b); };
  __m512 quads[4];
  BALEEN_UNROLL
  for (int q = 0; q < 4; ++q) {
    __m512 lanes[4];
    BALEEN_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int row = q + 4 * i;
      lanes[i] = Keys::has(group, row) ? max(Keys::load(group, row, 0), Keys::load(group, row, 16))
                                       : _mm512_set1_ps(-__builtin_inff());
    }
    quads[q] = fold_quad(lanes, max);
  }
  return fold_quads(quads, max);
}

/// Of rows `row` and row + 4; their lanes to be added.
template <class Keys>
BALEEN_INLINE void put_probabilities(const Group& group, int row, __m512* lanes) {
  __m512 p[4];
  BALEEN_UNROLL
  for (int i = 0; i < 2; ++i) {
    const int at = Keys::has(group, row + 4 * i) ? row + 4 * i : 0;
    const __m512 max = _mm512_set1_ps(group.rows.max[group.first + at]);
    p[2 * i] = _mm512_sub_ps(_mm512_loadu_ps(group.scores(at)), max);
    p[2 * i + 1] = _mm512_sub_ps(_mm512_loadu_ps(group.scores(at) + 16), max);
  }
  exp_of_differences(p);
  BALEEN_UNROLL
  for (int i = 0; i < 2; ++i) {
    lanes[i] = _mm512_setzero_ps();
    if (!Keys::has(group, row + 4 * i)) continue;
    float* s = group.scores(row + 4 * i);
    const __m512 low = Keys::seen(group, row + 4 * i, 0, p[2 * i]);
    const __m512 high = Keys::seen(group, row + 4 * i, 16, p[2 * i + 1]);
    _mm512_storeu_ps(s, low);
    _mm512_storeu_ps(s + 16, high);
    lanes[i] = _mm512_add_ps(low, high);
  }
}

/// Scores to probabilities; returns the rows' sums.
template <class Keys>
BALEEN_INLINE __m512 probabilities(const Group& group) {
  const auto add = [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); };
  __m512 quads[4];
  BALEEN_UNROLL
  for (int q = 0; q < 4; ++q) {
    __m512 lanes[4];
    BALEEN_UNROLL
    for (int i = 0; i < 4; i += 2) put_probabilities<Keys>(group, q + 4 * i, lanes + i);
    quads[q] = fold_quad(lanes, add);
  }
  return fold_quads(quads, add);
}

/// m' and c.
template <class Keys>
void raise_maxima(const Group& group) {
  const TileRows& rows = group.rows;
  const int64_t first = group.first;
  const __mmask16 there = lanes_left(group.count);
  const __mmask16 blind =
      _mm512_testn_epi32_mask(_mm512_maskz_loadu_epi32(there, rows.visible + first), _mm512_set1_epi32(-1));
  const __m512 old_max = _mm512_maskz_loadu_ps(there, rows.max + first);
  const __m512 max = _mm512_mask_mov_ps(_mm512_max_ps(old_max, tile_maxima<Keys>(group)), blind, old_max);
  const __mmask16 later = _mm512_cmp_ps_mask(old_max, _mm512_set1_ps(-__builtin_inff()), _CMP_NEQ_UQ);
  __m512 correction[1] = {_mm512_sub_ps(old_max, max)};
  exp_of_differences(correction);
  correction[0] = _mm512_mask_mov_ps(_mm512_maskz_mov_ps(later, correction[0]), blind, _mm512_set1_ps(1));
  _mm512_mask_storeu_ps(rows.max + first, there, max);
  _mm512_mask_storeu_ps(rows.correction + first, there, correction[0]);
}

/// p and l.
template <class Keys>
void add_probabilities(const Group& group) {
  const __mmask16 there = lanes_left(group.count);
  float* sums = group.rows.sum + group.first;
  const __m512 sum = _mm512_maskz_loadu_ps(there, sums);
  const __m512 correction = _mm512_maskz_loadu_ps(there, group.rows.correction + group.first);
  _mm512_mask_storeu_ps(sums, there, _mm512_fmadd_ps(sum, correction, probabilities<Keys>(group)));
}

bool all_see_all(const Group& group) {
  if (group.count != kTreeRows) return false;
  const __m512i all = _mm512_set1_epi32(-1);
  return _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(group.rows.visible + group.first), all) == 0;
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
    all_see_all(group) ? raise_maxima<Whole>(group) : raise_maxima<Partial>(group);
  });
  for_each_group(rows, [](const Group& group) {
    all_see_all(group) ? add_probabilities<Whole>(group) : add_probabilities<Partial>(group);
  });
}

}  // namespace baleen::avx512
