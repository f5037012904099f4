#include "models/quantize.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/gguf_file.h"
#include "formats/gguf_writer.h"
#include "kernels/block/encode.h"
#include "kernels/block/unpack.h"
#include "models/weight_types.h"

namespace baleen {
namespace {

// Rows of one hand-out to the threads and of one write: some megabytes for any real matrix.
constexpr int64_t kBatchRows = 256;

/// llama.cpp's number for a file whose matrices are mostly of this type (general.file_type).
uint32_t file_type(BlockType type) {
  switch (type) {
    case BlockType::f16:
      return 1;
    case BlockType::q4_0:
      return 2;
    case BlockType::q4_1:
      return 3;
    case BlockType::q8_0:
      return 7;
    case BlockType::q5_0:
      return 8;
    case BlockType::q5_1:
      return 9;
    case BlockType::q4_k:
      return 15;
    case BlockType::q5_k:
      return 17;
    case BlockType::q6_k:
      return 18;
    case BlockType::bf16:
      return 32;
    default:
      return 0;
  }
}

void count(const Tensor& tensor, Fit fit, QuantizeReport& report) {
  if (fit == Fit::asked) ++report.encoded;
  if (fit == Fit::finer) report.finer.push_back(tensor.name);
  if (fit == Fit::fallen_back) report.fallen_back.push_back(tensor.name);
}

bool is_rewritten(std::string_view key) {
  return key == "general.file_type" || key == "general.quantization_version" || key == "general.alignment" ||
         key.starts_with("split.");
}

void add_metadata(const GgufFile& source, BlockType type, GgufWriter& writer) {
  for (const GgufEntry& entry : source.metadata.entries())
    if (!is_rewritten(entry.key)) writer.add(entry);
  writer.add_u32("general.file_type", file_type(type));
  writer.add_u32("general.quantization_version", 2);
}

/// Re-encodes the tensor's rows batch by batch and writes them.
Result<void> write_tensor(const Tensor& tensor, BlockType type, ThreadPool& pool, GgufWriter& writer) {
  const int64_t rows = tensor.depth * tensor.rows;
  const auto stride = [&](BlockType of) { return tensor.cols / info(of).values * info(of).bytes; };
  const int64_t in_stride = stride(tensor.type), out_stride = stride(type);
  std::vector<std::byte> encoded(static_cast<size_t>(std::min(rows, kBatchRows) * out_stride));
  std::vector<float> values(static_cast<size_t>(pool.size() * tensor.cols));
  for (int64_t first = 0; first < rows; first += kBatchRows) {
    const int64_t count = std::min(kBatchRows, rows - first);
    pool.parallel_for(count, [&](int64_t row, int thread) {
      float* row_values = values.data() + thread * tensor.cols;
      unpack(tensor.type, tensor.bytes.data() + (first + row) * in_stride, tensor.cols, row_values);
      encode(type, row_values, tensor.cols, encoded.data() + row * out_stride);
    });
    Result<void> done = writer.write(std::span(encoded).first(static_cast<size_t>(count * out_stride)));
    if (!done) return done;
  }
  return writer.end_tensor();
}

}  // namespace

Result<QuantizeReport> quantize(const Checkpoint& checkpoint, const std::filesystem::path& out,
                                BlockType type, ThreadPool& pool, void (*progress)(double)) {
  if (!can_encode(type))
    return wrong_usage(std::string(info(type).name) + ": not a type that can be written");
  Result<GgufFile> source = GgufFile::parse(checkpoint.files().front().bytes());
  if (!source) return error_of(source);
  QuantizeReport report;
  GgufWriter writer;
  add_metadata(*source, type, writer);
  std::vector<BlockType> types;
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (!can_unpack(tensor.type)) return failed(tensor.name + ": cannot be unpacked");
    const EncodedAs chosen = encoded_as(checkpoint, tensor, type);
    types.push_back(chosen.type);
    count(tensor, chosen.fit, report);
    const std::array<int64_t, 3> shape{tensor.cols, tensor.rows, tensor.depth};
    writer.add_tensor(tensor.name, types.back(),
                      std::span(shape).first(static_cast<size_t>(tensor.dimensions)));
    report.bytes_before += tensor.bytes.size();
  }
  Result<void> done = writer.begin(out);
  uint64_t bytes_done = 0;
  for (size_t i = 0; i < types.size() && done; ++i) {
    const Tensor& tensor = checkpoint.tensors()[i];
    done = write_tensor(tensor, types[i], pool, writer);
    checkpoint.release(tensor);
    bytes_done += tensor.bytes.size();
    if (progress != nullptr)
      progress(static_cast<double>(bytes_done) / static_cast<double>(report.bytes_before));
    report.bytes_after += bytes_as(tensor, types[i]);
  }
  if (done) done = writer.finish();
  if (!done) return error_of(done);
  return report;
}

}  // namespace baleen
