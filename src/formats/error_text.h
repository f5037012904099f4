// How texts from a file appear in errors: short, so that what follows them still fits one line (contract.md: 4 KiB).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

/// The text, or its first 160 bytes (whole characters) and an ellipsis.
std::string shown(std::string_view text);

/// Puts the file in front of what an error says; the name without its folders where the path is long.
std::unexpected<Error> in_file(const std::filesystem::path& path, Error error);

}  // namespace baleen
