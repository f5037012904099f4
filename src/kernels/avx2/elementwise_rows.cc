// Norms, rope and activations (rules: kernels/ref/elementwise_rows.cc). Elements in lanes.
#include "kernels/avx2/rows.h"

namespace baleen::avx2 {

void rms_norm(const float* x, const float* weight, int64_t width, float eps, float* out) {
  __m256 low = _mm256_setzero_ps(), high = low;  // virtual lanes 0-7, 8-15
  for (int64_t i = 0; i < width; i += 16) {
    const bool whole = width - i >= 16;
    const __m256 a = whole ? Whole::load(x + i, 8) : Partial::load(x + i, width - i);
    const __m256 b = whole ? Whole::load(x + i + 8, 8) : Partial::load(x + i + 8, width - i - 8);
    low = _mm256_fmadd_ps(a, a, low);  // + 0 for lanes that are not there: the sum is never -0
    high = _mm256_fmadd_ps(b, b, high);
  }
  const float mean = tree_sum(_mm256_add_ps(low, high)) / static_cast<float>(width);
  const __m256 factor = _mm256_set1_ps(1.0f / __builtin_sqrtf(mean + eps));
  for_vectors(width, [&](auto access, int64_t i, int64_t left) {
    const __m256 scaled = _mm256_mul_ps(access.load(x + i, left), factor);
    access.store(out + i, left, _mm256_mul_ps(scaled, access.load(weight + i, left)));
  });
}

void rotate_neighbours(float* x, const float* cos, const float* sin, int64_t pairs) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  const __m256 first_negated = _mm256_castsi256_ps(_mm256_set1_epi64x(0x80000000));
  for_vectors(2 * pairs, [&](auto access, int64_t i, int64_t left) {
    const __m256i half = lanes_left(left < 8 ? left / 2 : 4);
    const __m256 c = _mm256_permutevar8x32_ps(_mm256_maskload_ps(cos + i / 2, half), twice);
    const __m256 s = _mm256_permutevar8x32_ps(_mm256_maskload_ps(sin + i / 2, half), twice);
    const __m256 v = access.load(x + i, left);
    const __m256 other = _mm256_permute_ps(v, 0b10110001);
    access.store(x + i, left, _mm256_fmadd_ps(other, _mm256_xor_ps(s, first_negated), _mm256_mul_ps(v, c)));
  });
}

void rotate_halves(float* x, const float* cos, const float* sin, int64_t pairs) {
  for_vectors(pairs, [&](auto access, int64_t i, int64_t left) {
    const __m256 c = access.load(cos + i, left), s = access.load(sin + i, left);
    const __m256 a = access.load(x + i, left), b = access.load(x + pairs + i, left);
    access.store(x + i, left, _mm256_fnmadd_ps(b, s, _mm256_mul_ps(a, c)));
    access.store(x + pairs + i, left, _mm256_fmadd_ps(a, s, _mm256_mul_ps(b, c)));
  });
}

void silu_mul(const GatedRows& rows) {
  const __m256 one = _mm256_set1_ps(1), sign = _mm256_set1_ps(-0.0f);
  for (int64_t r = 0; r < rows.count; ++r) {
    float* gate = rows.gate + r * rows.gate_stride;
    const float* up = rows.up + r * rows.up_stride;
    for_vectors(rows.width, [&](auto access, int64_t i, int64_t left) {
      const __m256 g = access.load(gate + i, left), u = access.load(up + i, left);
      const __m256 silu = _mm256_div_ps(g, _mm256_add_ps(one, exp(_mm256_xor_ps(g, sign))));
      access.store(gate + i, left, _mm256_mul_ps(silu, u));
    });
  }
}

void add(const float* x, int64_t width, float* out) {
  for_vectors(width, [&](auto access, int64_t i, int64_t left) {
    access.store(out + i, left, _mm256_add_ps(access.load(out + i, left), access.load(x + i, left)));
  });
}

void scale(const float* x, float factor, int64_t width, float* out) {
  for_vectors(width, [&](auto access, int64_t i, int64_t left) {
    access.store(out + i, left, _mm256_mul_ps(access.load(x + i, left), _mm256_set1_ps(factor)));
  });
}

}  // namespace baleen::avx2
