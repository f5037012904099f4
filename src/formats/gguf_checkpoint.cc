// GGUF files become the parts of a Checkpoint.
#include <fmt/format.h>

#include <algorithm>

#include "formats/architecture.h"
#include "formats/checkpoint_parts.h"
#include "formats/error_text.h"
#include "formats/gguf_fields.h"
#include "formats/gguf_file.h"
#include "formats/gguf_params.h"
#include "formats/gguf_split.h"
#include "formats/gguf_vocabulary.h"
#include "formats/parameter_limits.h"
#include "formats/tensor_check.h"

namespace baleen {
namespace {

constexpr std::string_view kArchitecture = "general.architecture";

Result<GgufFile> open_file(const std::filesystem::path& path, CheckpointParts& parts) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return error_of(mapped);
  auto file = GgufFile::parse(mapped->bytes());
  if (!file) return in_file(path, std::move(file.error()));
  parts.files.push_back(std::move(*mapped));  // moving keeps the mapping where it is
  parts.header_bytes.push_back(file->header_bytes);
  std::ranges::move(file->tensors, std::back_inserter(parts.tensors));
  return file;
}

Result<void> open_rest_of_split(const std::filesystem::path& path, const GgufSplit& split,
                                CheckpointParts& parts) {
  for (int32_t i = 1; i < split.count; ++i) {
    auto next = gguf_split_path(path, i, split.count);
    if (!next) return in_file(path, std::move(next.error()));
    auto file = open_file(*next, parts);
    if (!file) return error_of(file);
    if (auto checked = check_gguf_split(*file, split, i); !checked)
      return in_file(*next, std::move(checked.error()));
  }
  if (split.count > 1 && parts.tensors.size() != static_cast<size_t>(split.tensors))
    return in_file(
        path, {ErrorKind::bad_input,
               fmt::format("split.tensors.count (metadata at byte 24): says {} tensors, the {} files have {}",
                           split.tensors, split.count, parts.tensors.size())});
  return {};
}

/// Sorts the tensors of all files; names must differ across files too.
Result<void> sort_tensors(CheckpointParts& parts) {
  std::ranges::sort(parts.tensors, {}, &Tensor::name);
  const auto twin = std::ranges::adjacent_find(parts.tensors, {}, &Tensor::name);
  if (twin == parts.tensors.end()) return {};
  return bad_input(
      fmt::format("tensor {} at byte {}: is in two files of the set", twin->name, twin->file_offset));
}

/// Rows of the embedding matrix: as many as tokens, and what the file says they are.
Result<int32_t> read_vocab_rows(GgufFields& fields, const CheckpointParts& parts) {
  const auto tokens = static_cast<int32_t>(parts.vocabulary.tokens.size());
  const Tensor* embeddings = find_tensor(parts.tensors, "token_embd.weight");
  const int64_t rows = embeddings != nullptr ? embeddings->rows : 0;
  std::optional<int32_t> fallback;
  if (tokens > 0) fallback = tokens;
  if (tokens == 0 && rows > 0 && rows <= kVocabularyRange.most) fallback = static_cast<int32_t>(rows);
  const int32_t stated = fields.integer(".vocab_size", kVocabularyRange, fallback);
  if (tokens > 0 && stated != tokens)
    fields.fail(".vocab_size", fmt::format("is {}, the vocabulary has {} tokens", stated, tokens));
  if (auto status = fields.status(); !status) return error_of(status);
  return stated;
}

Result<void> read_model(const GgufFile& file, GgufFields& fields, CheckpointParts& parts) {
  const std::string_view name = fields.text(kArchitecture);
  const Architecture* architecture = find_architecture(name);
  if (architecture == nullptr)
    fields.fail(kArchitecture,
                fmt::format("\"{}\" is not supported, these are: {}", shown(name), known_architectures()));
  if (auto status = fields.status(); !status) return status;
  auto params = read_gguf_params(fields, *architecture);
  if (!params) return error_of(params);
  parts.params = std::move(*params);
  auto rows = read_vocab_rows(fields, parts);
  if (!rows) return error_of(rows);
  parts.params.vocab_rows = *rows;
  ExpertParameters& experts = parts.params.experts;
  experts.selection_bias = find_tensor(parts.tensors, fmt::format("blk.{}.exp_probs_b.bias",
                                                                  experts.leading_dense_layers)) != nullptr;
  const std::string place = fmt::format("tensor table at byte {}", file.table_offset);
  const auto same_name = [](std::string_view tensor) { return std::string(tensor); };
  return check_tensors({parts.tensors, place, same_name, false}, *architecture, parts.params);
}

Result<void> read_parts(const GgufFile& file, Wanted wanted, CheckpointParts& parts) {
  GgufFields architecture_field(file.metadata, "");
  const std::string architecture(architecture_field.text(kArchitecture, ""));
  GgufFields fields(file.metadata, architecture);
  if (auto sorted = sort_tensors(parts); !sorted) return sorted;
  auto vocabulary = read_gguf_vocabulary(file.metadata, fields);
  if (!vocabulary) return error_of(vocabulary);
  parts.vocabulary = std::move(*vocabulary);
  parts.chat_template = fields.text("tokenizer.chat_template", "");
  parts.name = fields.text("general.name", "");
  parts.params.architecture = architecture;
  if (auto status = fields.status(); !status) return status;
  return wanted == Wanted::everything ? read_model(file, fields, parts) : Result<void>{};
}

}  // namespace

Result<CheckpointParts> read_gguf(const std::filesystem::path& path, Wanted wanted) {
  CheckpointParts parts;
  parts.path = path;
  auto file = open_file(path, parts);
  if (!file) return error_of(file);
  for (const GgufEntry& entry : file->metadata.entries())
    if (entry.key.starts_with("tokenizer.")) parts.field_offsets.emplace(entry.key, entry.offset);
  auto split = read_gguf_split(*file);
  if (!split) return in_file(path, std::move(split.error()));
  if (wanted == Wanted::everything)
    if (auto rest = open_rest_of_split(path, *split, parts); !rest) return error_of(rest);
  if (auto read = read_parts(*file, wanted, parts); !read) return in_file(path, std::move(read.error()));
  if (parts.name.empty()) parts.name = path.stem().string();
  return parts;
}

}  // namespace baleen
