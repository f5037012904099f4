// Models in several GGUF files: NAME-00001-of-00003.gguf and so on (llama.cpp's gguf-split).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "formats/gguf_file.h"

namespace baleen {

/// A part's name without ".gguf": "NAME-00002-of-00003".
struct GgufPartName {
  std::string_view name;  ///< of the model
  int32_t part;           ///< from 1
};
/// Nothing for the name of a model in one file.
std::optional<GgufPartName> parse_gguf_part_name(std::string_view stem);

struct GgufSplit {
  int32_t count = 1;    ///< files of the model
  int32_t tensors = 0;  ///< of all files together
};

/// What the first file says of the set; count 1 for a model in one file. bad_input for a file that is not the
/// first.
Result<GgufSplit> read_gguf_split(const GgufFile& first);

/// Path of file `index` (from 0) of the set whose first file is `first`; bad_input where that is not named
/// so.
Result<std::filesystem::path> gguf_split_path(const std::filesystem::path& first, int32_t index,
                                              int32_t count);

/// That `file` is number `index` of the set.
Result<void> check_gguf_split(const GgufFile& file, const GgufSplit& split, int32_t index);

}  // namespace baleen
