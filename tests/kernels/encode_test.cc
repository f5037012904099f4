#include "kernels/block/encode.h"

#include <cmath>
#include <cstring>

#include "kernels/block/block_bytes.h"
#include "kernels/block/unpack.h"

namespace baleen {
namespace {

constexpr int64_t kCount = 4096;

/// Bell-shaped, as weights are: the mean of four uniform numbers, standard deviation about 0.29.
std::vector<float> weights() {
  std::vector<float> values(kCount);
  uint32_t state = 1;
  for (float& value : values) {
    value = -2;
    for (int i = 0; i < 4; ++i) {
      state = state * 1664525u + 1013904223u;
      value += static_cast<float>(state >> 8) * 0x1p-24f;
    }
    value *= 0.5f;
  }
  return values;
}

std::vector<float> round_trip(BlockType type, const std::vector<float>& values) {
  const auto count = static_cast<int64_t>(values.size());
  std::vector<std::byte> blocks(static_cast<size_t>(count / info(type).values * info(type).bytes));
  std::vector<float> back(values.size());
  encode(type, values.data(), count, blocks.data());
  unpack(type, blocks.data(), count, back.data());
  return back;
}

double relative_error(BlockType type) {
  const std::vector<float> values = weights(), back = round_trip(type, values);
  double error = 0, power = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    error += std::pow(double{values[i]} - back[i], 2);
    power += std::pow(double{values[i]}, 2);
  }
  return std::sqrt(error / power);
}

TEST(Encode, KeepsWeightsAsFinelyAsTheTypeAllows) {
  EXPECT_EQ(relative_error(BlockType::f32), 0);
  EXPECT_LT(relative_error(BlockType::f16), 3e-4);
  EXPECT_LT(relative_error(BlockType::bf16), 2e-3);
  EXPECT_LT(relative_error(BlockType::q8_0), 0.006);
  EXPECT_LT(relative_error(BlockType::q6_k), 0.018);
  EXPECT_LT(relative_error(BlockType::q5_k), 0.036);
  EXPECT_LT(relative_error(BlockType::q5_1), 0.036);
  EXPECT_LT(relative_error(BlockType::q5_0), 0.040);
  EXPECT_LT(relative_error(BlockType::q4_k), 0.073);
  EXPECT_LT(relative_error(BlockType::q4_1), 0.073);
  EXPECT_LT(relative_error(BlockType::q4_0), 0.082);
}

TEST(Encode, ZerosStayZerosAndConstantsComeBack) {
  for (BlockType type : {BlockType::q8_0, BlockType::q4_0, BlockType::q4_1, BlockType::q5_0, BlockType::q5_1,
                         BlockType::q4_k, BlockType::q5_k, BlockType::q6_k}) {
    for (float value : round_trip(type, std::vector<float>(256, 0.0f)))
      EXPECT_EQ(value, 0) << info(type).name;
    for (float value : round_trip(type, std::vector<float>(256, -0.75f)))
      EXPECT_NEAR(value, -0.75, 0.01) << info(type).name;
  }
}

TEST(Encode, NotANumberAndInfinityDoNotTrap) {
  std::vector<float> values = weights();
  values[3] = NAN;
  values[300] = INFINITY;
  values[600] = -INFINITY;
  for (BlockType type : {BlockType::q8_0, BlockType::q4_0, BlockType::q4_1, BlockType::q5_0, BlockType::q5_1,
                         BlockType::q4_k, BlockType::q5_k, BlockType::q6_k})
    EXPECT_TRUE(std::isfinite(round_trip(type, values)[1023])) << info(type).name;
}

TEST(Encode, EveryHalfSurvives) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float value = half_to_float(static_cast<uint16_t>(half));
    if (!std::isnan(value)) {
      ASSERT_EQ(float_to_half(value), half);
    }
  }
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f), float_to_half(1.0f));  // halfway: to even
  EXPECT_EQ(float_to_half(1.0f + 0x3p-11f), float_to_half(1.0f + 0x1p-9f));
  EXPECT_EQ(float_to_half(65519.0f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
  EXPECT_EQ(float_to_half(0x1p-25f), 0);
  EXPECT_EQ(float_to_half(0x1.8p-25f), 1);
}

}  // namespace
}  // namespace baleen
