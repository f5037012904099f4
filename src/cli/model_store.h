// Where pulled models are kept: $BALEEN_HOME/models, else ~/.local/share/baleen/models. A GGUF file there is
// a model named after the file without .gguf (split files: without -00001-of-0000N too), a folder with a
// config.json is one named after the folder. What is still being fetched has a name ending in .part and is no
// model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace baleen {

inline constexpr std::string_view kDefaultModel = "SmolLM2-135M-Instruct.Q4_1";

struct StoredModel {
  std::string name;
  std::filesystem::path
      path;            ///< what every command takes as MODEL: the file (the first of several) or the folder
  uint64_t bytes = 0;  ///< of all its files
};

/// The folder of pulled models; it need not exist. `failed` where neither BALEEN_HOME nor HOME is set.
Result<std::filesystem::path> model_folder();

/// Sorted by name; empty where nothing has been pulled.
Result<std::vector<StoredModel>> stored_models();

/// The model's name that a file's name gives; a path's folders stay.
std::string model_name_of(std::string_view file);
/// Whether a GGUF file's name says that it is one of several ("…-00002-of-00003.gguf").
bool is_split_file(std::string_view file);

/// The file or folder that MODEL means: a path that exists, else the name of a pulled model; empty or
/// "default" is the default model. bad_input where there is none.
Result<std::filesystem::path> find_model(std::string_view name_or_path);

}  // namespace baleen
