#include <cstring>

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

/// A page that a kernel has written to, by the type of its elements.
template <class T, class Store>
std::vector<T> page_after(const Store& store, const std::vector<float>& data, Slots slots, int32_t dim) {
  std::vector<T> page(static_cast<size_t>(kTileKeys * dim), T{77});
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
        same(page_after<float>(ours.store_keys_f32, data, slots, dim),
             page_after<float>(expected.store_keys_f32, data, slots, dim));
        same(page_after<float>(ours.store_values_f32, data, slots, dim),
             page_after<float>(expected.store_values_f32, data, slots, dim));
        same(page_after<uint16_t>(ours.store_keys_f16, data, slots, dim),
             page_after<uint16_t>(expected.store_keys_f16, data, slots, dim));
        same(page_after<uint16_t>(ours.store_values_f16, data, slots, dim),
             page_after<uint16_t>(expected.store_values_f16, data, slots, dim));
      }
  }
}

TEST(KvRows, ValuesComeBackFromF16) {
  for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
    if (!cpu_has(isa)) continue;
    const RowKernels& rows = kernels(isa).rows;
    std::vector<float> data = {1, -2.5f, 65504, 1e9f, 6e-8f, 0.1f}, back(32 * 6);
    std::vector<uint16_t> page(32 * 6);
    rows.store_values_f16({data.data(), 6, 1, 3, 6}, page.data());
    rows.widen_f16(page.data(), 32 * 6, back.data());
    const std::vector<float> expected = {1, -2.5f, 65504, INFINITY, 0x1p-24f, 0x1.998p-4f};
    expect_bits(std::vector<float>(back.begin() + 18, back.begin() + 24), expected, std::string(name(isa)));
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
