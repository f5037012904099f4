#include "kernels/same_bits.h"

namespace baleen {
namespace {

using testing::random_floats;

/// [32][columns] numbered one by one.
template <class T, class Transpose>
void expect_transposed(const Transpose& transpose, int64_t columns, const std::string& what) {
  std::vector<T> rows(static_cast<size_t>(kTileKeys * columns)), out(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<T>(i);
  transpose(rows.data(), columns, out.data());
  for (size_t i = 0; i < out.size(); ++i)
    ASSERT_EQ(out[i], static_cast<T>(i % kTileKeys * static_cast<size_t>(columns) + i / kTileKeys)) << what;
}

TEST(LatentKeys, RowsBecomeColumns) {
  for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
    if (!cpu_has(isa)) continue;
    for (const int64_t columns : {1, 7, 8, 16, 33, 144, 576}) {
      const std::string what = std::string(name(isa)) + " " + std::to_string(columns);
      expect_transposed<uint32_t>(kernels(isa).rows.transpose_f32, columns, what);
      expect_transposed<uint16_t>(kernels(isa).rows.transpose_f16, columns, what);
    }
  }
}

TEST(LatentKeys, I8IsAsKeysAreStored) {
  const RowKernels ref = ref_row_kernels();
  for (const Isa isa : {Isa::ref, Isa::avx2, Isa::avx512}) {
    if (!cpu_has(isa)) continue;
    for (const int32_t dim : {4, 12, 16, 36, 64, 576}) {
      const auto data = random_floats(kTileKeys * dim, 4);
      std::vector<int8_t> values(static_cast<size_t>(i8_values_bytes(dim)));
      std::vector<int8_t> keys(static_cast<size_t>(i8_keys_bytes(dim))), ours(keys.size());
      ref.store_keys_i8({data.data(), dim, kTileKeys, 0, dim}, keys.data());
      ref.store_values_i8({data.data(), dim, kTileKeys, 0, dim}, values.data());
      kernels(isa).rows.keys_of_values_i8(values.data(), dim, ours.data());
      EXPECT_EQ(ours, keys) << name(isa) << " " << dim;
    }
  }
}

}  // namespace
}  // namespace baleen
