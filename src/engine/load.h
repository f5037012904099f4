// From a path to everything that answering takes.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "engine/engine.h"
#include "kernels/compute.h"

namespace baleen {

/// What API clients call the model in this file or folder: its name without .gguf (a split file's: without
/// -00001-of-0000N too).
std::string model_id(const std::filesystem::path& path);

/// Opens, validates and packs. Errors as Checkpoint::open, Tokenizer::make, ChatTemplate::compile and load_model say.
Result<LoadedModel> load(const std::filesystem::path& path, const Compute& compute,
                         const LoadOptions& options = {});

}  // namespace baleen
