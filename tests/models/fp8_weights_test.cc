// FP8 matrices with block scales on their way from a folder into a model.
#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>

#include "formats/tiny_hub.h"
#include "golden.h"
#include "gtest/gtest.h"
#include "kernels/block/f8.h"
#include "models/weight_loader.h"

namespace baleen {
namespace {

using test::TemporaryFolder;
using test::TinyHub;

constexpr int64_t kRows = 16, kCols = 4, kBlockRows = 4;  // of kv_b_proj in TinyHub::deepseek()

/// Writes bytes over what a tensor has in the file.
void overwrite(const std::filesystem::path& folder, uint64_t offset, const std::vector<std::byte>& bytes) {
  std::fstream file(folder / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good());
}

/// Where a span of the file's mapping lies in the file.
uint64_t offset_of(const Tensor& tensor, std::span<const std::byte> part) {
  return tensor.file_offset + static_cast<uint64_t>(part.data() - tensor.bytes.data());
}

std::vector<std::byte> scale_bytes(BlockType type, std::span<const float> scales) {
  std::vector<std::byte> bytes;
  for (const float scale : scales) {
    const auto bits = std::bit_cast<std::array<std::byte, 4>>(scale);
    const uint32_t number = std::bit_cast<uint32_t>(scale);
    if (type == BlockType::f32) bytes.insert(bytes.end(), bits.begin(), bits.end());
    if (type == BlockType::bf16) bytes.insert(bytes.end(), bits.begin() + 2, bits.end());
    if (type == BlockType::f8_e8m0) bytes.push_back(static_cast<std::byte>(number >> 23));
  }
  return bytes;
}

void expect_code_times_scale(const char* dtype, BlockType type, std::span<const float> scales) {
  TinyHub hub = TinyHub::deepseek();
  hub.tensor("model.layers.0.self_attn.kv_b_proj.weight_scale_inv").dtype = dtype;
  const TemporaryFolder parent;
  const auto folder = write_folder(parent, hub.files());
  std::vector<std::byte> codes(kRows * kCols);
  std::mt19937 random(1);
  for (std::byte& code : codes) code = static_cast<std::byte>(random() % 0x7F);
  {
    auto checkpoint = Checkpoint::open(folder);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const Tensor* tensor = checkpoint->find("blk.0.attn_kv_b.weight");
    ASSERT_EQ(tensor->scales.type, type);
    overwrite(folder, tensor->file_offset, codes);
    overwrite(folder, offset_of(*tensor, tensor->scales.bytes), scale_bytes(type, scales));
  }
  auto checkpoint = Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  ThreadPool pool(2);
  const Compute compute{&kernels(Isa::ref), &pool};
  WeightLoader loader(*checkpoint, compute, {});
  const std::vector<float> values = loader.floats("blk.0.attn_kv_b.weight", kRows, kCols);
  const Linear linear = loader.linear("blk.0.attn_kv_b", kRows, kCols);
  ASSERT_FALSE(loader.failed()) << loader.error().message;
  std::vector<float> row(kCols);
  for (int64_t r = 0; r < kRows; ++r) {
    linear.weights().unpack_row(r, row.data());
    for (int64_t k = 0; k < kCols; ++k) {
      const auto at = static_cast<size_t>(r * kCols + k);
      const float expected =
          f8_e4m3(std::to_integer<uint8_t>(codes[at])) * scales[static_cast<size_t>(r / kBlockRows)];
      EXPECT_EQ(values[at], expected) << dtype << " " << r << ", " << k;
      EXPECT_EQ(row[static_cast<size_t>(k)], expected) << dtype << " " << r << ", " << k;
    }
  }
}

TEST(Fp8Weights, ScalesInEachTypeThatIsPublished) {
  constexpr float kScales[] = {0.0123F, 3.75F, 1e-5F, 0.5F}, kShort[] = {0.5F, 1.5F, 3.0F, 0.0078125F},
                  kPowers[] = {0x1p-7F, 1.0F, 0x1p-126F, 0x1p20F};
  expect_code_times_scale("F32", BlockType::f32, kScales);
  expect_code_times_scale("BF16", BlockType::bf16, kShort);
  expect_code_times_scale("F8_E8M0", BlockType::f8_e8m0, kPowers);
}

std::vector<float> logits(const LoadOptions& options) {
  const test::TestModel loaded =
      test::load(test::golden_folder() / "deepseek-v3-fp8", best_isa(), 2, options);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i * 7 % 320);
  return test::logits_of(*loaded.model, KvType::f32, ids);
}

TEST(Fp8Weights, AreTheFloatsThatTheyStandFor) { EXPECT_EQ(logits({}), logits({.weights = BlockType::f32})); }

// The first positions alone: a little further on, where the random weights leave a choice of experts close, the 8-bit
// activations change it.
TEST(Fp8Weights, CanBePackedAsBlocks) {
  const std::vector<float> exact = logits({}), packed = logits({.weights = BlockType::q8_0});
  constexpr size_t kCompared = 3 * 320;
  double sum = 0;
  for (size_t i = 0; i < kCompared; ++i) sum += std::fabs(exact[i] - packed[i]);
  EXPECT_GT(sum, 0);
  EXPECT_LT(sum / kCompared, 0.16);
}

}  // namespace
}  // namespace baleen
