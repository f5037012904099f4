#include "models/quantize.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "formats/architecture.h"
#include "formats/gguf_tensors.h"
#include "formats/tensor_name.h"
#include "kernels/block/encode.h"
#include "kernels/block/unpack.h"
#include "models/latent_halves.h"
#include "models/rope.h"
#include "models/tensor_rows.h"
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

/// The rows of a matrix that rope turns: of each head's `head_rows` so many behind the first that do not.
struct TurningRows {
  int64_t head_rows, still, turning;

  /// The row of a folder's halves that stands at `row` in a GGUF file's order, where the two of a pair are neighbours.
  int64_t in_halves(int64_t row) const {
    const int64_t turn = row % head_rows - still;
    if (turn < 0 || turn >= turning) return row;
    return row - turn + turn / 2 + turn % 2 * (turning / 2);
  }
};

std::optional<TurningRows> turning_rows(const HyperParameters& params, std::string_view name) {
  const auto layer = split_number(name, kLayerPrefix);
  const auto is = [&](std::string_view stem) { return layer && layer->rest.starts_with(stem); };
  const LatentParameters& latent = params.latent;
  if (latent.exist() && is("attn_kv_a_mqa."))
    return TurningRows{latent.kv_rank + latent.rope_dim, latent.kv_rank, latent.rope_dim};
  const bool queries = is("attn_q.") || (latent.exist() && is("attn_q_b."));
  if (!queries && !is("attn_k.")) return std::nullopt;
  return TurningRows{params.key_dim, latent.nope_dim, params.rope.dimensions};
}

/// What a tensor is written as. FP8 is no type of GGUF files.
EncodedAs written_as(const Checkpoint& checkpoint, const Tensor& tensor, BlockType wanted) {
  EncodedAs chosen = encoded_as(checkpoint, tensor, wanted);
  if (chosen.type == BlockType::f8_e4m3) chosen.type = BlockType::f32;
  return chosen;
}

/// Writes tensors in a type of their own and, where the checkpoint's pairs of rope are halves and the file's are
/// neighbours, with the rows that turn in the file's order.
class TensorWriter {
 public:
  TensorWriter(const Checkpoint& checkpoint, ThreadPool& pool, GgufWriter& writer)
      : checkpoint_(checkpoint), params_(checkpoint.params()), pool_(pool), writer_(writer) {
    const Architecture* architecture = find_architecture(params_.architecture);
    reorders_ = architecture->rope_pairs != params_.rope.pairs;
  }

  Result<void> write(const GgufTensor& made, BlockType type) {
    if (made.made != GgufTensor::Made::as_it_is) return write_half(made, type);
    for (const Tensor* part : made.parts) {
      if (auto done = write_part(*part, type); !done) return done;
      checkpoint_.release(*part);
    }
    return writer_.end_tensor();
  }

  /// A vector that the checkpoint does not have.
  Result<void> write(std::span<const float> values) {
    if (auto done = writer_.write(std::as_bytes(values)); !done) return done;
    return writer_.end_tensor();
  }

 private:
  Result<void> write_part(const Tensor& part, BlockType type) {
    const TensorRows rows(part);
    const auto turning = reorders_ ? turning_rows(params_, part.name) : std::nullopt;
    if (turning && part.dimensions == 1) return write_reordered_vector(rows, part.cols, *turning);
    return write_rows(part.depth * part.rows, part.cols, type, [&](int64_t row, float* out) {
      rows.unpack(turning ? turning->in_halves(row) : row, out);
    });
  }

  /// `unpack` makes row `row` of floats.
  Result<void> write_rows(int64_t rows, int64_t cols, BlockType type,
                          const std::function<void(int64_t row, float* out)>& unpack) {
    const int64_t stride = cols / info(type).values * info(type).bytes;
    std::vector<std::byte> encoded(static_cast<size_t>(std::min(rows, kBatchRows) * stride));
    std::vector<float> values(static_cast<size_t>(pool_.size() * cols));
    for (int64_t first = 0; first < rows; first += kBatchRows) {
      const int64_t count = std::min(kBatchRows, rows - first);
      pool_.parallel_for(count, [&](int64_t row, int thread) {
        float* row_values = values.data() + thread * cols;
        unpack(first + row, row_values);
        encode(type, row_values, cols, encoded.data() + row * stride);
      });
      Result<void> done = writer_.write(std::span(encoded).first(static_cast<size_t>(count * stride)));
      if (!done) return done;
    }
    return {};
  }

  Result<void> write_half(const GgufTensor& made, BlockType type) {
    const Tensor &kv_b = *made.parts.front(), &shape = made.tensor;
    const TensorRows rows(kv_b);
    std::vector<float> values(static_cast<size_t>(kv_b.rows * kv_b.cols));
    pool_.parallel_for(kv_b.rows,
                       [&](int64_t row, int) { rows.unpack(row, values.data() + row * kv_b.cols); });
    const LatentHalves halves = split_latent_halves(values, params_.latent);
    const auto& half = made.made == GgufTensor::Made::latent_keys ? halves.keys : halves.values;
    auto done = write_rows(shape.depth * shape.rows, shape.cols, type, [&](int64_t row, float* out) {
      std::copy_n(half.data() + row * shape.cols, shape.cols, out);
    });
    checkpoint_.release(kv_b);
    return done ? writer_.end_tensor() : done;
  }

  /// A bias: an element is a row.
  Result<void> write_reordered_vector(const TensorRows& rows, int64_t cols, const TurningRows& turning) {
    std::vector<float> values(static_cast<size_t>(cols)), reordered;
    rows.unpack(0, values.data());
    for (int64_t row = 0; row < cols; ++row)
      reordered.push_back(values[static_cast<size_t>(turning.in_halves(row))]);
    return writer_.write(std::as_bytes(std::span(reordered)));
  }

  const Checkpoint& checkpoint_;
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
  const std::vector<GgufTensor> made = gguf_tensors(checkpoint);
  std::vector<BlockType> types;
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (!tensor.scales.exist() && !can_unpack(tensor.type))
      return failed(tensor.name + ": cannot be unpacked");
    report.bytes_before += tensor.bytes.size();
  }
  for (const auto& [tensor, unused, parts] : made) {
    const EncodedAs chosen = written_as(checkpoint, tensor, job.type);
    types.push_back(chosen.type);
    count(tensor, chosen.fit, report);
    const std::array<int64_t, 3> shape{tensor.cols, tensor.rows, tensor.depth};
    writer.add_tensor(tensor.name, types.back(),
                      std::span(shape).first(static_cast<size_t>(tensor.dimensions)));
    report.bytes_after += bytes_as(tensor, chosen.type);
  }
  const std::vector<float> freqs = missing_rope_freqs(checkpoint);
  const std::array<int64_t, 1> freqs_shape{static_cast<int64_t>(freqs.size())};
  if (!freqs.empty()) writer.add_tensor("rope_freqs.weight", BlockType::f32, freqs_shape);
  Result<void> done = writer.begin(out);
  TensorWriter tensors(checkpoint, pool, writer);
  uint64_t bytes_done = 0;
  for (size_t i = 0; i < types.size() && done; ++i) {
    done = tensors.write(made[i], types[i]);
    bytes_done += bytes_as(made[i].tensor, types[i]);
    if (job.progress != nullptr)
      job.progress(static_cast<double>(bytes_done) / static_cast<double>(report.bytes_after));
  }
  if (done && !freqs.empty()) done = tensors.write(freqs);
  if (done) done = writer.finish();
  if (!done) return error_of(done);
  return report;
}

}  // namespace baleen
