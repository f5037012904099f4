#include "kernels/same_bits.h"

namespace baleen {
namespace {

using testing::random_floats;

TEST(LatentKeys, RowsBecomeColumns) {
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    for (const int64_t columns : {1, 7, 8, 16, 33, 144, 576}) {
      std::vector<float> rows(static_cast<size_t>(kTileKeys * columns)), out(rows.size());
      for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
      kernels(isa).rows.transpose_f32(rows.data(), columns, out.data());
      for (size_t i = 0; i < out.size(); ++i)
        ASSERT_EQ(out[i], static_cast<float>(i % kTileKeys * static_cast<size_t>(columns) + i / kTileKeys))
            << name(isa) << " " << columns;
    }
  }
}

TEST(LatentKeys, F16IsAsKeysAndValuesAreStored) {
  const RowKernels ref = ref_row_kernels();
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    const RowKernels& ours = kernels(isa).rows;
    for (const int32_t dim : {1, 7, 8, 16, 33, 64, 100, 576})
      for (const int32_t value_dim : {1, dim / 2 + 1, dim}) {
        const std::string what = std::string(name(isa)) + " " + std::to_string(dim);
        const auto data = random_floats(kTileKeys * dim, 4);
        const auto rows = [&](int32_t width) -> HeadRows { return {data.data(), dim, kTileKeys, 0, width}; };
        std::vector<int16_t> latents(static_cast<size_t>(f16_latents_bytes(dim) / 2));
        std::vector<int16_t> keys(static_cast<size_t>(f16_keys_bytes(dim) / 2)), our_keys(keys.size());
        std::vector<int16_t> values(static_cast<size_t>(f16_values_bytes(value_dim) / 2));
        std::vector<int16_t> our_values(values.size());
        ref.store_keys_f16(rows(dim), keys.data());
        ref.store_values_f16(rows(value_dim), values.data());
        ours.store_latents_f16(rows(dim), value_dim, latents.data());
        ours.keys_of_latents_f16(latents.data(), dim, our_keys.data());
        ours.values_of_latents_f16(latents.data(), dim, value_dim, our_values.data());
        EXPECT_EQ(our_keys, keys) << what;
        EXPECT_EQ(our_values, values) << what;
      }
  }
}

TEST(LatentKeys, I8IsAsKeysAreStored) {
  const RowKernels ref = ref_row_kernels();
  for (const Isa isa : kIsas) {
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
