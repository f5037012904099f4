// Norms, rope and activations (rules: kernels/ref/elementwise_rows.cc). Elements in lanes.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out) {
  __m256 low = _mm256_setzero_ps(), high = low;  // virtual lanes 0-7, 8-15
  for (int64_t i = 0; i < width; i += 16) {
    const __m256 a = _mm256_maskload_ps(x + i, lanes_left(width - i));
    const __m256 b = _mm256_maskload_ps(x + i + 8, lanes_left(width - i - 8));
    low = _mm256_fmadd_ps(a, a, low);  // + 0 for lanes that are not there: the sum is never -0
    high = _mm256_fmadd_ps(b, b, high);
  }
  const float mean = tree_sum(_mm256_add_ps(low, high)) / static_cast<float>(width);
  const __m256 factor = _mm256_set1_ps(1.0f / __builtin_sqrtf(mean + eps));
  for (int64_t i = 0; i < width; i += 8) {
    const __m256i mask = lanes_left(width - i);
    const __m256 scaled = _mm256_mul_ps(_mm256_maskload_ps(x + i, mask), factor);
    _mm256_maskstore_ps(out + i, mask, _mm256_mul_ps(scaled, _mm256_maskload_ps(weight + i, mask)));
  }
}

void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  const __m256 first_negated = _mm256_castsi256_ps(_mm256_set1_epi64x(0x80000000));
  for (int64_t i = 0; i < pairs; i += 4) {
    const __m256i mask = lanes_left(2 * (pairs - i)), half = lanes_left(pairs - i < 4 ? pairs - i : 4);
    const __m256 c = _mm256_permutevar8x32_ps(_mm256_maskload_ps(cos + i, half), twice);
    const __m256 s = _mm256_permutevar8x32_ps(_mm256_maskload_ps(sin + i, half), twice);
    const __m256 v = _mm256_maskload_ps(x + 2 * i, mask);
    const __m256 other = _mm256_permute_ps(v, 0b10110001);
    const __m256 turned = _mm256_fmadd_ps(other, _mm256_xor_ps(s, first_negated), _mm256_mul_ps(v, c));
    _mm256_maskstore_ps(x + 2 * i, mask, turned);
  }
}

void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs) {
  for (int64_t i = 0; i < pairs; i += 8) {
    const __m256i mask = lanes_left(pairs - i);
    const __m256 c = _mm256_maskload_ps(cos + i, mask), s = _mm256_maskload_ps(sin + i, mask);
    const __m256 a = _mm256_maskload_ps(x + i, mask), b = _mm256_maskload_ps(x + pairs + i, mask);
    _mm256_maskstore_ps(x + i, mask, _mm256_fnmadd_ps(b, s, _mm256_mul_ps(a, c)));
    _mm256_maskstore_ps(x + pairs + i, mask, _mm256_fmadd_ps(a, s, _mm256_mul_ps(b, c)));
  }
}

void silu_mul(float* gate, const float* up, int64_t width) {
  const __m256 one = _mm256_set1_ps(1), sign = _mm256_set1_ps(-0.0f);
  for (int64_t i = 0; i < width; i += 8) {
    const __m256i mask = lanes_left(width - i);
    const __m256 g = _mm256_maskload_ps(gate + i, mask), u = _mm256_maskload_ps(up + i, mask);
    const __m256 silu = _mm256_div_ps(g, _mm256_add_ps(one, exp(_mm256_xor_ps(g, sign))));
    _mm256_maskstore_ps(gate + i, mask, _mm256_mul_ps(silu, u));
  }
}

void add(const float* x, int64_t width, float* out) {
  for (int64_t i = 0; i < width; i += 8) {
    const __m256i mask = lanes_left(width - i);
    const __m256 sum = _mm256_add_ps(_mm256_maskload_ps(out + i, mask), _mm256_maskload_ps(x + i, mask));
    _mm256_maskstore_ps(out + i, mask, sum);
  }
}

void scale(const float* x, float factor, int64_t width, float* out) {
  for (int64_t i = 0; i < width; i += 8) {
    const __m256i mask = lanes_left(width - i);
    _mm256_maskstore_ps(out + i, mask,
                        _mm256_mul_ps(_mm256_maskload_ps(x + i, mask), _mm256_set1_ps(factor)));
  }
}

}  // namespace baleen::avx2
