#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "kernels/same_bits.h"

namespace baleen {
namespace {

using testing::expect_bits;
using testing::Extremes;
using testing::fast_isas;
using testing::random_floats;

constexpr int32_t kDims[] = {1, 8, 15, 16, 24, 33, 64, 100};

struct Slots {
  int32_t first, count;
};
constexpr Slots kSlots[] = {{0, 1}, {31, 1}, {5, 7}, {0, 32}, {16, 16}};

/// A page of so many bytes that a kernel has written to, by the type of its elements.
template <class T, class Store>
std::vector<T> page_after(const Store& store, int64_t bytes, const std::vector<float>& data, Slots slots,
                          int32_t dim) {
  std::vector<T> page(static_cast<size_t>(bytes) / sizeof(T), T{77});
  store({data.data(), dim + 3, slots.count, slots.first, dim}, page.data());
  return page;
}

TEST(KvRows, EveryIsaStoresTheBitsOfRef) {
  const RowKernels expected = ref_row_kernels();
  for (const Isa isa : fast_isas()) {
    const RowKernels& ours = kernels(isa).rows;
    for (const int32_t dim : kDims)
      for (const Slots slots : kSlots) {
        const auto data = random_floats(slots.count * (dim + 3), 5, Extremes::some);
        const std::string what = std::string(name(isa)) + " " + std::to_string(dim);
        const auto same = [&](const auto& a, const auto& b) {
          EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])), 0) << what;
        };
        const auto stored = [&]<class T>(void (*store)(const HeadRows&, T*), int64_t bytes) {
          return page_after<T>(store, bytes, data, slots, dim);
        };
        const int64_t floats = 4 * kTileKeys * dim;
        same(stored(ours.store_keys_f32, floats), stored(expected.store_keys_f32, floats));
        same(stored(ours.store_values_f32, floats), stored(expected.store_values_f32, floats));
        same(stored(ours.store_keys_f16, f16_keys_bytes(dim)),
             stored(expected.store_keys_f16, f16_keys_bytes(dim)));
        same(stored(ours.store_values_f16, f16_values_bytes(dim)),
             stored(expected.store_values_f16, f16_values_bytes(dim)));
        const auto latents = [&](const RowKernels& kernels) {
          const auto store = [&](const HeadRows& rows, int16_t* page) {
            kernels.store_latents_f16(rows, dim / 2 + 1, page);
          };
          return page_after<int16_t>(store, f16_latents_bytes(dim), data, slots, dim);
        };
        same(latents(ours), latents(expected));
      }
  }
}

TEST(KvRows, EveryIsaEncodesI8AsRef) {
  const RowKernels ref = ref_row_kernels();
  for (const Isa isa : fast_isas()) {
    const RowKernels& ours = kernels(isa).rows;
    for (const Extremes extremes : {Extremes::none, Extremes::some})
      for (const int32_t dim : kDims)
        for (const Slots slots : kSlots) {
          const auto data = random_floats(slots.count * (dim + 3), 5, extremes);
          const std::string what = std::string(name(isa)) + " " + std::to_string(dim);
          const auto page = [&](const auto& store, int64_t bytes) {
            std::vector<int8_t> after(static_cast<size_t>(bytes), int8_t{77});
            store({data.data(), dim + 3, slots.count, slots.first, dim}, after.data());
            return after;
          };
          EXPECT_EQ(page(ours.store_keys_i8, i8_keys_bytes(dim)), page(ref.store_keys_i8, i8_keys_bytes(dim)))
              << what;
          EXPECT_EQ(page(ours.store_values_i8, i8_values_bytes(dim)),
                    page(ref.store_values_i8, i8_values_bytes(dim)))
              << what;
          const auto encoded = [&](const RowKernels& rows) {
            std::vector<int8_t> codes(static_cast<size_t>(slots.count * i8_padded(dim)), int8_t{77});
            std::vector<uint32_t> scales(static_cast<size_t>(slots.count * code_blocks(dim)));
            std::vector<int32_t> sums(scales.size());
            rows.quantise_queries_i8(data.data(), slots.count, dim,
                                     {codes.data(), reinterpret_cast<float*>(scales.data()), sums.data()});
            return std::tuple{codes, scales, sums};
          };
          EXPECT_EQ(encoded(ours), encoded(ref)) << what;
        }
  }
}

TEST(KvRows, I8ComesBackWithinHalfAStep) {
  constexpr int32_t kDim = 49;
  const auto data = random_floats(kDim, 3);
  std::vector<int8_t> page(static_cast<size_t>(i8_values_bytes(kDim)));
  ref_row_kernels().store_values_i8({data.data(), kDim, 1, 9, kDim}, page.data());
  const auto* scales = reinterpret_cast<const float*>(page.data() + kTileKeys * kDim);
  const auto back = [&](int32_t d) {
    return static_cast<float>(page[static_cast<size_t>((9 / 4 * kDim + d) * 4 + 9 % 4)]) *
           scales[d / kCodeBlock * kTileKeys + 9];
  };
  for (int32_t first = 0; first < kDim; first += kCodeBlock) {
    float amax = 0;
    for (int32_t d = first; d < std::min(kDim, first + kCodeBlock); ++d)
      amax = std::max(amax, std::abs(data[static_cast<size_t>(d)]));
    for (int32_t d = first; d < std::min(kDim, first + kCodeBlock); ++d)
      EXPECT_NEAR(back(d), data[static_cast<size_t>(d)], amax / 127 * 0.501);
  }
}

TEST(KvRows, EveryIsaReadsI8AsRef) {
  const RowKernels ref = ref_row_kernels();
  for (const Isa isa : fast_isas())
    for (const Extremes extremes : {Extremes::none, Extremes::some})
      for (const int64_t rows : {1, 2, 3, 5, 6, 7, 13})
        for (const int32_t dim : {4, 16, 24, 33, 48, 64, 80, 128}) {
          const std::string what =
              std::string(name(isa)) + " " + std::to_string(rows) + " x " + std::to_string(dim);
          const auto data = random_floats(kTileKeys * dim, 4, extremes), q = random_floats(rows * dim, 6);
          std::vector<int8_t> keys(static_cast<size_t>(i8_keys_bytes(dim)));
          ref.store_keys_i8({data.data(), dim, kTileKeys, 0, dim}, keys.data());
          std::vector<int8_t> codes(static_cast<size_t>(rows * i8_padded(dim)));
          std::vector<float> scales(static_cast<size_t>(rows * code_blocks(dim)));
          std::vector<int32_t> sums(scales.size());
          const I8Queries queries{codes.data(), scales.data(), sums.data()};
          ref.quantise_queries_i8(q.data(), rows, dim, queries);
          std::vector<float> expected(static_cast<size_t>(rows * kTileKeys)), ours = expected;
          ref.scores_i8(queries, keys.data(), dim,
                        {rows, nullptr, expected.data(), nullptr, nullptr, nullptr});
          kernels(isa).rows.scores_i8(queries, keys.data(), dim,
                                      {rows, nullptr, ours.data(), nullptr, nullptr, nullptr});
          expect_bits(ours, expected, what);
        }
}

TEST(KvRows, F16RoundsToNearest) {
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    const std::vector<float> data = {1, -2.5f, 65504, 1e9f, 6e-8f, 0.1f};
    std::vector<int16_t> page(static_cast<size_t>(f16_latents_bytes(6) / 2));
    kernels(isa).rows.store_latents_f16({data.data(), 6, 1, 3, 6}, 6, page.data());
    const uint16_t expected[] = {0x3C00, 0xC100, 0x7BFF, 0x7C00, 0x0001, 0x2E66};
    for (size_t d = 0; d < 6; ++d)
      EXPECT_EQ(static_cast<uint16_t>(page[18 + d]), expected[d]) << name(isa) << " " << d;
  }
}

/// docs/NUMERICS.md: code = round(x * 2^(27 - E)), E the largest number's exponent bits; scale = 2^(E - 27), of which a
/// page holds the upper half. Of x = 1.5, -0.25 and 1 + 2^-11 (in f16: 1) E is 15.
TEST(KvRows, F16BecomesCodes) {
  const std::vector<float> data = {1.5f, -0.25f, 0x1.002p0f};
  constexpr int16_t kScale = (127 + 15 - 27) << 7;
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    std::vector<int16_t> keys(static_cast<size_t>(f16_keys_bytes(3) / 2));
    std::vector<int16_t> values(static_cast<size_t>(f16_values_bytes(3) / 2));
    kernels(isa).rows.store_keys_f16({data.data(), 3, 1, 9, 3}, keys.data());
    kernels(isa).rows.store_values_f16({data.data(), 3, 1, 9, 3}, values.data());
    const auto key = [&](size_t d) { return keys[(d / 2 * kTileKeys + 9) * 2 + d % 2]; };
    const auto value = [&](size_t d) { return values[(9 / 2 * 3 + d) * 2 + 1]; };
    const int16_t codes[] = {6144, -1024, 4096};
    for (size_t d = 0; d < 3; ++d) {
      EXPECT_EQ(key(d), codes[d]) << name(isa) << " " << d;
      EXPECT_EQ(value(d), codes[d]) << name(isa) << " " << d;
    }
    EXPECT_EQ(key(3), 0) << name(isa);
    EXPECT_EQ(keys[4 * kTileKeys + 9], kScale) << name(isa);
    EXPECT_EQ(values[3 * kTileKeys + 9], kScale) << name(isa);
  }
}

TEST(KvRows, KeysAreTransposed) {
  const std::vector<float> data = {1, 2, 3, 4, 5, 6};
  std::vector<float> page(3 * kTileKeys);
  ref_row_kernels().store_keys_f32({data.data(), 3, 2, 30, 3}, page.data());
  for (int d = 0; d < 3; ++d) {
    EXPECT_EQ(page[static_cast<size_t>(d * kTileKeys + 30)], data[static_cast<size_t>(d)]);
    EXPECT_EQ(page[static_cast<size_t>(d * kTileKeys + 31)], data[static_cast<size_t>(3 + d)]);
  }
}

}  // namespace
}  // namespace baleen
