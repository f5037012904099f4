// SHA-256 of files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

/// 64 lower-case hexadecimal digits.
Result<std::string> sha256_of(const std::filesystem::path& path);

/// Whether the text is a SHA-256 as sha256_of writes it.
bool is_sha256(std::string_view text);

}  // namespace baleen
