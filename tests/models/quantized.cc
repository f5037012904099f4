#include "quantized.h"

#include <array>
#include <map>

#include "formats/gguf_export.h"
#include "formats/gguf_file.h"
#include "gtest/gtest.h"
#include "models/quantize.h"

namespace baleen::test {
namespace {

/// kv_b [heads * (nope + value), rank] of k_b [heads][rank][nope] and v_b [heads][value][rank].
std::vector<float> joined(const Tensor& k_b, const Tensor& v_b) {
  const auto* keys = reinterpret_cast<const float*>(k_b.bytes.data());
  const auto* values = reinterpret_cast<const float*>(v_b.bytes.data());
  std::vector<float> kv_b;
  for (int64_t head = 0; head < k_b.depth; ++head) {
    for (int64_t n = 0; n < k_b.cols; ++n)
      for (int64_t r = 0; r < k_b.rows; ++r) kv_b.push_back(keys[(head * k_b.rows + r) * k_b.cols + n]);
    const int64_t size = v_b.rows * v_b.cols;
    kv_b.insert(kv_b.end(), values + head * size, values + (head + 1) * size);
  }
  return kv_b;
}

void add_older_metadata(const Checkpoint& checkpoint, GgufWriter& writer) {
  const std::string architecture = checkpoint.params().architecture;
  const std::map<std::string, int32_t> older = {
      {architecture + ".attention.head_count_kv", checkpoint.params().heads},
      {architecture + ".attention.key_length", checkpoint.params().key_dim},
      {architecture + ".attention.value_length", checkpoint.params().value_dim}};
  const auto file = GgufFile::parse(checkpoint.files().front().bytes());
  for (const GgufEntry& entry : file->metadata.entries()) {
    if (entry.key.ends_with("_length_mla")) continue;
    const auto changed = older.find(std::string(entry.key));
    if (changed == older.end()) {
      writer.add(entry);
    } else {
      writer.add_u32(entry.key, static_cast<uint32_t>(changed->second));
    }
  }
}

}  // namespace

std::filesystem::path quantized(const std::filesystem::path& in, BlockType type,
                                const TemporaryFolder& folder) {
  const auto out = folder.path() / (in.stem().string() + "-" + std::string(info(type).name) + ".gguf");
  ThreadPool pool(2);
  auto checkpoint = Checkpoint::open(in);
  EXPECT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  GgufWriter writer;
  const auto metadata = checkpoint->is_folder() ? add_gguf_params(*checkpoint, writer)
                                                : copy_gguf_metadata(*checkpoint, writer);
  EXPECT_TRUE(metadata.has_value()) << metadata.error().message;
  if (checkpoint->is_folder()) {
    EXPECT_TRUE(add_gguf_vocabulary(Vocabulary(), "", writer).has_value());
  }
  const auto done = quantize({*checkpoint, type}, writer, out, pool);
  EXPECT_TRUE(done.has_value()) << done.error().message;
  return out;
}

std::filesystem::path in_older_form(const std::filesystem::path& in, const TemporaryFolder& folder) {
  const auto out = folder.path() / "older.gguf";
  const auto checkpoint = Checkpoint::open(in);
  EXPECT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  GgufWriter writer;
  add_older_metadata(*checkpoint, writer);
  std::map<std::string, std::vector<float>>
      joints;  // by the name of the values' tensor, in whose place they stand
  for (const Tensor& tensor : checkpoint->tensors()) {
    const std::string stem = tensor.name.substr(0, tensor.name.find("attn_"));
    if (tensor.name.ends_with("attn_k_b.weight")) continue;
    if (tensor.name.ends_with("attn_v_b.weight")) {
      const Tensor& keys = *checkpoint->find(stem + "attn_k_b.weight");
      EXPECT_EQ(keys.type, BlockType::f32);
      const std::array<int64_t, 2> shape{tensor.cols, tensor.depth * (keys.cols + tensor.rows)};
      writer.add_tensor(stem + "attn_kv_b.weight", BlockType::f32, shape);
      joints[tensor.name] = joined(keys, tensor);
      continue;
    }
    const std::array<int64_t, 3> shape{tensor.cols, tensor.rows, tensor.depth};
    writer.add_tensor(tensor.name, tensor.type,
                      std::span(shape).first(static_cast<size_t>(tensor.dimensions)));
  }
  EXPECT_TRUE(writer.begin(out).has_value());
  for (const Tensor& tensor : checkpoint->tensors()) {
    if (tensor.name.ends_with("attn_k_b.weight")) continue;
    const auto joint = joints.find(tensor.name);
    EXPECT_TRUE(writer.write(joint == joints.end() ? tensor.bytes : std::as_bytes(std::span(joint->second))));
    EXPECT_TRUE(writer.end_tensor().has_value());
  }
  EXPECT_TRUE(writer.finish().has_value());
  return out;
}

}  // namespace baleen::test
