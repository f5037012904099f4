// What a model file or folder says, validated: the one door of formats/. A Checkpoint looks the same whether
// it was read from GGUF or a Hugging Face folder: tensor names are GGUF's (blk.0.attn_q.weight).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/hyper_parameters.h"
#include "formats/vocabulary.h"

namespace baleen {

/// Scales of an FP8 matrix: what a weight stands for is weight * scale of its block. Blocks are counted from the top
/// left, so that the last ones may be partial.
struct TensorScales {
  BlockType type = BlockType::f32;         ///< f32, bf16 or f8_e8m0
  int32_t block_rows = 0, block_cols = 0;  ///< 0: the tensor has no scales
  std::span<const std::byte> bytes;        ///< [ceil(rows / block_rows), ceil(cols / block_cols)]
  bool exist() const { return block_rows > 0; }
};

/// A matrix is [rows, cols] with cols contiguous; a vector has rows = 1. GGUF's ne0 is cols.
/// Three dimensions (stacked experts): [depth, rows, cols].
struct Tensor {
  std::string name;
  BlockType type = BlockType::f32;
  int dimensions = 1;
  int64_t depth = 1, rows = 1, cols = 0;
  std::span<const std::byte> bytes;  ///< into the mapped file
  uint64_t file_offset = 0;
  TensorScales scales;  ///< of type f8_e4m3 alone, and always of it
};

struct CheckpointParts;

class Checkpoint {
 public:
  /// A GGUF file (the first of a split set brings the others). bad_input names field or tensor and byte
  /// offset. Validates everything that contract.md "Files" asks for, tensors against hyper-parameters
  /// included.
  static Result<Checkpoint> open(const std::filesystem::path& path);
  /// Only what `tokenize`, `detokenize` and `template` need: a vocabulary-only file is enough.
  static Result<Checkpoint> open_vocabulary(const std::filesystem::path& path);

  /// Of a vocabulary alone: nothing but the architecture, where the files name it.
  const HyperParameters& params() const { return params_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  /// Jinja source; empty where there is none.
  const std::string& chat_template() const { return chat_template_; }
  const std::string& name() const { return name_; }  ///< general.name, else the file's
  /// A folder as Hugging Face's, else GGUF.
  bool is_folder() const { return is_folder_; }
  /// Sorted by name. Experts are stacks in GGUF files and one tensor each in folders (tensor_name.h).
  std::span<const Tensor> tensors() const { return tensors_; }
  const Tensor* find(std::string_view name) const;  ///< null where there is none
  /// One expert's matrix [rows, cols] of blk.LAYER.STACK, as in (3, "ffn_gate_exps.weight", 7), from a stack in one
  /// tensor or from one of its own. Nothing where there is none.
  std::optional<Tensor> expert_tensor(int32_t layer, std::string_view stack, int32_t expert) const;
  /// Those of the next-token-prediction blocks (params().prediction_layers), which no step reads.
  std::span<const Tensor> prediction_tensors() const { return prediction_tensors_; }
  /// The tensor's file pages will not be read again.
  void release(const Tensor& tensor) const;
  /// Changes whenever the weights do: a hash over metadata, tensor table and a sample of the tensor bytes.
  uint64_t fingerprint() const { return fingerprint_; }
  uint64_t file_bytes() const { return file_bytes_; }
  /// An error of a higher layer that begins with a field's name ("tokenizer.ggml.pre: …"), with the file in front
  /// and the field's byte offset behind its name.
  Error locate(Error error) const;
  /// The files as they are, the first of a split set first.
  std::span<const MappedFile> files() const { return *files_; }

 private:
  explicit Checkpoint(CheckpointParts parts);

  HyperParameters params_;
  Vocabulary vocabulary_;
  std::string chat_template_, name_;
  std::vector<Tensor> tensors_, prediction_tensors_;  // sorted by name
  std::filesystem::path path_;
  bool is_folder_ = false;
  std::map<std::string, uint64_t, std::less<>> field_offsets_;
  std::shared_ptr<const std::vector<MappedFile>> files_;
  uint64_t fingerprint_ = 0, file_bytes_ = 0;
};

}  // namespace baleen
