#include "models/quantize.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/architecture.h"
#include "kernels/block/encode.h"
#include "kernels/block/unpack.h"
#include "models/rope.h"
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

/// The row of a folder's q or k that stands at `row` in GGUF's order: of each head's first `dimensions` rows the halves
/// become neighbours.
int64_t row_in_halves(int64_t row, int64_t head_dim, int64_t dimensions) {
  const int64_t in_head = row % head_dim;
  if (in_head >= dimensions) return row;
  return row - in_head + in_head / 2 + in_head % 2 * (dimensions / 2);
}

bool turns(std::string_view name) {
  for (const std::string_view stem : {".attn_q.", ".attn_k."})
    if (name.contains(stem)) return true;
  return false;
}

/// Writes tensors in a type of their own and, where the checkpoint's pairs of rope are halves and the file's are
/// neighbours, with the rows of q and k in the file's order.
class TensorWriter {
 public:
  TensorWriter(const Checkpoint& checkpoint, ThreadPool& pool, GgufWriter& writer)
      : params_(checkpoint.params()), pool_(pool), writer_(writer) {
    const Architecture* architecture = find_architecture(params_.architecture);
    reorders_ = architecture->rope_pairs != params_.rope.pairs;
  }

  Result<void> write(const Tensor& tensor, BlockType type) {
    if (reorders_ && turns(tensor.name) && tensor.dimensions == 1) return write_reordered_vector(tensor);
    const int64_t rows = tensor.depth * tensor.rows;
    const auto stride = [&](BlockType of) { return tensor.cols / info(of).values * info(of).bytes; };
    const int64_t in_stride = stride(tensor.type), out_stride = stride(type);
    std::vector<std::byte> encoded(static_cast<size_t>(std::min(rows, kBatchRows) * out_stride));
    std::vector<float> values(static_cast<size_t>(pool_.size() * tensor.cols));
    for (int64_t first = 0; first < rows; first += kBatchRows) {
      const int64_t count = std::min(kBatchRows, rows - first);
      pool_.parallel_for(count, [&](int64_t row, int thread) {
        float* row_values = values.data() + thread * tensor.cols;
        const int64_t from = source_row(tensor, first + row);
        unpack(tensor.type, tensor.bytes.data() + from * in_stride, tensor.cols, row_values);
        encode(type, row_values, tensor.cols, encoded.data() + row * out_stride);
      });
      Result<void> done = writer_.write(std::span(encoded).first(static_cast<size_t>(count * out_stride)));
      if (!done) return done;
    }
    return writer_.end_tensor();
  }

  /// A vector that the checkpoint does not have.
  Result<void> write(std::span<const float> values) {
    if (auto done = writer_.write(std::as_bytes(values)); !done) return done;
    return writer_.end_tensor();
  }

 private:
  int64_t source_row(const Tensor& tensor, int64_t row) const {
    return reorders_ && turns(tensor.name) ? row_in_halves(row, params_.key_dim, params_.rope.dimensions)
                                           : row;
  }

  /// A bias: an element is a row.
  Result<void> write_reordered_vector(const Tensor& tensor) {
    std::vector<float> values(static_cast<size_t>(tensor.cols)), reordered;
    unpack(tensor.type, tensor.bytes.data(), tensor.cols, values.data());
    for (int64_t row = 0; row < tensor.cols; ++row)
      reordered.push_back(values[static_cast<size_t>(source_row(tensor, row))]);
    return write(reordered);
  }

  const HyperParameters& params_;
  ThreadPool& pool_;
  GgufWriter& writer_;
  bool reorders_ = false;
};

/// llama3's rope scaling, where it is not in the file as a tensor yet.
std::vector<float> missing_rope_freqs(const Checkpoint& checkpoint) {
  const RopeParameters& rope = checkpoint.params().rope;
  return rope.scaling == RopeScaling::llama3 ? rope_divisors(rope) : std::vector<float>();
}

}  // namespace

Result<QuantizeReport> quantize(const QuantizeJob& job, GgufWriter& writer, const std::filesystem::path& out,
                                ThreadPool& pool) {
  const Checkpoint& checkpoint = job.checkpoint;
  if (!can_encode(job.type))
    return wrong_usage(std::string(info(job.type).name) + ": not a type that can be written");
  QuantizeReport report;
  writer.add_u32("general.file_type", file_type(job.type));
  writer.add_u32("general.quantization_version", 2);
  std::vector<BlockType> types;
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (!can_unpack(tensor.type)) return failed(tensor.name + ": cannot be unpacked");
    const EncodedAs chosen = encoded_as(checkpoint, tensor, job.type);
    types.push_back(chosen.type);
    count(tensor, chosen.fit, report);
    const std::array<int64_t, 3> shape{tensor.cols, tensor.rows, tensor.depth};
    writer.add_tensor(tensor.name, types.back(),
                      std::span(shape).first(static_cast<size_t>(tensor.dimensions)));
    report.bytes_before += tensor.bytes.size();
    report.bytes_after += bytes_as(tensor, chosen.type);
  }
  const std::vector<float> freqs = missing_rope_freqs(checkpoint);
  const std::array<int64_t, 1> freqs_shape{static_cast<int64_t>(freqs.size())};
  if (!freqs.empty()) writer.add_tensor("rope_freqs.weight", BlockType::f32, freqs_shape);
  Result<void> done = writer.begin(out);
  TensorWriter tensors(checkpoint, pool, writer);
  uint64_t bytes_done = 0;
  for (size_t i = 0; i < types.size() && done; ++i) {
    const Tensor& tensor = checkpoint.tensors()[i];
    done = tensors.write(tensor, types[i]);
    checkpoint.release(tensor);
    bytes_done += tensor.bytes.size();
    if (job.progress != nullptr)
      job.progress(static_cast<double>(bytes_done) / static_cast<double>(report.bytes_before));
  }
  if (done && !freqs.empty()) done = tensors.write(freqs);
  if (done) done = writer.finish();
  if (!done) return error_of(done);
  return report;
}

}  // namespace baleen
