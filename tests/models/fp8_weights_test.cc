// FP8 matrices with block scales on their way from a folder into a model.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>

#include "formats/safetensors.h"
#include "formats/tiny_hub.h"
#include "golden.h"
#include "gtest/gtest.h"
#include "kernels/block/f8.h"
#include "models/weight_loader.h"
#include "quantized.h"

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

/// All scales for blocks of so many columns.
void set_block_cols(TinyHub& hub, int64_t block_cols) {
  hub.set("quantization_config",
          R"({"quant_method": "fp8", "weight_block_size": [4, )" + std::to_string(block_cols) + "]}");
  for (auto& tensor : hub.weights.tensors) {
    if (!tensor.name.ends_with("_scale_inv")) continue;
    const uint64_t cols = hub.tensor(tensor.name.substr(0, tensor.name.size() - 10)).shape[1];
    tensor.shape[1] = (cols + block_cols - 1) / block_cols;
  }
}

void expect_code_times_scale(const char* dtype, BlockType type, std::span<const float> scales,
                             int64_t block_cols = 128) {
  TinyHub hub = TinyHub::deepseek();
  set_block_cols(hub, block_cols);
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
      const int64_t block = r / kBlockRows * ((kCols + block_cols - 1) / block_cols) + k / block_cols;
      const float expected =
          f8_e4m3(std::to_integer<uint8_t>(codes[at])) * scales[static_cast<size_t>(block)];
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

TEST(Fp8Weights, ScalesOfBlocksThatPanelsDoNotHold) {
  constexpr float kScales[] = {0.0123F, 3.75F, 1e-5F, 0.5F, 7.0F, 0.25F, 1.125F, 99.5F};
  expect_code_times_scale("F32", BlockType::f32, kScales, 2);
  expect_code_times_scale("F32", BlockType::f32, kScales, 3);
}

std::filesystem::path golden() { return test::golden_folder() / "deepseek-v3-fp8"; }

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The golden model's scales, each written twice, for blocks of half the columns.
std::filesystem::path in_half_blocks(const TemporaryFolder& parent) {
  std::string config = read_text(golden() / "config.json"),
              weights = read_text(golden() / "model.safetensors");
  config.replace(config.rfind("128"), 3, "64");
  const auto file = SafetensorsFile::parse(std::as_bytes(std::span(weights)));
  std::string header = "{", data;
  for (const SafetensorsEntry& entry : file->entries) {
    const size_t begin = data.size();
    std::vector<int64_t> shape = entry.shape;
    if (entry.name.ends_with("_scale_inv")) {
      const std::string weight = entry.name.substr(0, entry.name.size() - 10);
      const int64_t cols = std::ranges::find(file->entries, weight, &SafetensorsEntry::name)->shape[1];
      shape[1] = (cols + 63) / 64;
      for (int64_t i = 0; i < shape[0] * shape[1]; ++i)
        data.append(reinterpret_cast<const char*>(entry.bytes.data()) +
                        4 * (i / shape[1] * entry.shape[1] + i % shape[1] / 2),
                    4);
    } else {
      data.append(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
    }
    std::string sizes;
    for (const int64_t size : shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    header += (header.size() > 1 ? ",\"" : "\"") + entry.name + R"(":{"dtype":")" + entry.dtype +
              R"(","shape":[)" + sizes + R"(],"data_offsets":[)" + std::to_string(begin) + "," +
              std::to_string(data.size()) + "]}";
  }
  header += "}";
  return write_folder(parent, {{"config.json", config},
                               {"model.safetensors", test::raw<uint64_t>(header.size()) + header + data}});
}

std::vector<float> logits(const LoadOptions& options, const std::filesystem::path& path = golden()) {
  const test::TestModel loaded = test::load(path, best_isa(), 2, options);
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

TEST(Fp8Weights, HalfTheBlocksWithTheSameScalesAreTheSame) {
  const TemporaryFolder parent;
  const auto halves = in_half_blocks(parent);
  EXPECT_EQ(logits({}), logits({}, halves));
  EXPECT_EQ(logits({.weights = BlockType::q8_0}), logits({.weights = BlockType::q8_0}, halves));
  EXPECT_EQ(logits({.weights = BlockType::q4_k}),
            logits({}, test::quantized(halves, BlockType::q4_k, parent)));
}

}  // namespace
}  // namespace baleen
