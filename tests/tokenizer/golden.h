// The reference data in ../shared/golden/text, beside the checkout where there is one. It holds third-party
// vocabularies, so it is not part of the repository: tests that need it skip without it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tokenizer/tokenizer.h"

namespace baleen::test {

/// Nothing where there is no reference data.
std::optional<std::filesystem::path> golden_text_folder();

std::string read_file(const std::filesystem::path& path);
json::Document read_json(const std::filesystem::path& path);

/// A vocabulary file of the reference data ("files/NAME.xz"), unpacked into the temporary folder.
std::filesystem::path unpacked(const std::string& file);

/// The tokenizer of a vocabulary-only GGUF file or of a tokenizer.json.
Tokenizer tokenizer_of(const std::filesystem::path& path);

std::vector<int32_t> ids_of(const json::Value& array);

}  // namespace baleen::test
