// Norms, rope and activations (rules: kernels/ref/elementwise_rows.cc). Elements in lanes.
#include "kernels/avx512/rows.h"

namespace baleen::avx512 {

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out) {
  __m512 lanes = _mm512_setzero_ps();
  for (int64_t i = 0; i < width; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(lanes_left(width - i), x + i);
    lanes = _mm512_fmadd_ps(v, v, lanes);  // + 0 for lanes that are not there: the sum is never -0
  }
  const float mean = tree_sum(lanes) / static_cast<float>(width);
  const __m512 factor = _mm512_set1_ps(1.0f / __builtin_sqrtf(mean + eps));
  for (int64_t i = 0; i < width; i += 16) {
    const __mmask16 mask = lanes_left(width - i);
    const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor);
    _mm512_mask_storeu_ps(out + i, mask, _mm512_mul_ps(scaled, _mm512_maskz_loadu_ps(mask, weight + i)));
  }
}

void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs) {
  const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  const __m512 first_negated = _mm512_castsi512_ps(_mm512_set1_epi64(0x80000000));
  for (int64_t i = 0; i < pairs; i += 8) {
    const __mmask16 mask = lanes_left(2 * (pairs - i)), half = lanes_left(pairs - i) & 0xFF;
    const __m512 c = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, cos + i));
    const __m512 s = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, sin + i));
    const __m512 v = _mm512_maskz_loadu_ps(mask, x + 2 * i);
    const __m512 other = _mm512_permute_ps(v, 0b10110001);
    const __m512 turned = _mm512_fmadd_ps(other, _mm512_xor_ps(s, first_negated), _mm512_mul_ps(v, c));
    _mm512_mask_storeu_ps(x + 2 * i, mask, turned);
  }
}

void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs) {
  for (int64_t i = 0; i < pairs; i += 16) {
    const __mmask16 mask = lanes_left(pairs - i);
    const __m512 c = _mm512_maskz_loadu_ps(mask, cos + i), s = _mm512_maskz_loadu_ps(mask, sin + i);
    const __m512 a = _mm512_maskz_loadu_ps(mask, x + i), b = _mm512_maskz_loadu_ps(mask, x + pairs + i);
    _mm512_mask_storeu_ps(x + i, mask, _mm512_fnmadd_ps(b, s, _mm512_mul_ps(a, c)));
    _mm512_mask_storeu_ps(x + pairs + i, mask, _mm512_fmadd_ps(a, s, _mm512_mul_ps(b, c)));
  }
}

namespace {

/// N rows at once, for the chain of one is long (rows.h).
template <int N>
BALEEN_INLINE void silu_mul_rows(const GatedRows& rows, int64_t first) {
  float* gate = rows.gate + first * rows.gate_stride;
  const float* up = rows.up + first * rows.up_stride;
  for (int64_t i = 0; i < rows.width; i += 16) {
    const __mmask16 mask = lanes_left(rows.width - i);
    __m512 g[N], minus[N], e[N];
    BALEEN_UNROLL
    for (int r = 0; r < N; ++r) {
      g[r] = _mm512_maskz_loadu_ps(mask, gate + r * rows.gate_stride + i);
      minus[r] = _mm512_xor_ps(g[r], _mm512_set1_ps(-0.0f));
    }
    exp(minus, e);
    BALEEN_UNROLL
    for (int r = 0; r < N; ++r) {
      const __m512 silu = _mm512_div_ps(g[r], _mm512_add_ps(_mm512_set1_ps(1), e[r]));
      const __m512 u = _mm512_maskz_loadu_ps(mask, up + r * rows.up_stride + i);
      _mm512_mask_storeu_ps(gate + r * rows.gate_stride + i, mask, _mm512_mul_ps(silu, u));
    }
  }
}

}  // namespace

void silu_mul(const GatedRows& rows) {
  constexpr int kRows = 4;
  int64_t row = 0;
  for (; row + kRows <= rows.count; row += kRows) silu_mul_rows<kRows>(rows, row);
  for (; row < rows.count; ++row) silu_mul_rows<1>(rows, row);
}

void add(const float* x, int64_t width, float* out) {
  for (int64_t i = 0; i < width; i += 16) {
    const __mmask16 mask = lanes_left(width - i);
    const __m512 sum =
        _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out + i), _mm512_maskz_loadu_ps(mask, x + i));
    _mm512_mask_storeu_ps(out + i, mask, sum);
  }
}

void scale(const float* x, float factor, int64_t width, float* out) {
  for (int64_t i = 0; i < width; i += 16) {
    const __mmask16 mask = lanes_left(width - i);
    _mm512_mask_storeu_ps(out + i, mask,
                          _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_set1_ps(factor)));
  }
}

}  // namespace baleen::avx512
