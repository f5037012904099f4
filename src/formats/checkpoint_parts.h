// What a reader of one file format hands to Checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/checkpoint.h"

namespace baleen {

struct CheckpointParts {
  std::filesystem::path path;
  bool is_folder = false;
  HyperParameters params;
  Vocabulary vocabulary;
  std::string chat_template, name;
  std::vector<Tensor> tensors;                                 ///< in any order
  std::map<std::string, uint64_t, std::less<>> field_offsets;  ///< of the vocabulary's fields in the file
  std::vector<MappedFile> files;                               ///< that the tensors' bytes lie in
  std::vector<uint64_t> header_bytes;  ///< per file: what stands before the tensors' bytes
};

enum class Wanted { everything, vocabulary };

Result<CheckpointParts> read_gguf(const std::filesystem::path& path, Wanted wanted);
/// A folder as Hugging Face's transformers writes it.
Result<CheckpointParts> read_hub_folder(const std::filesystem::path& path, Wanted wanted);

}  // namespace baleen
