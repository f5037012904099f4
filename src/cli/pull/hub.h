// Models on the Hugging Face hub (https://huggingface.co/docs/hub/api): which files a repository's model consists of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace baleen {

struct HubRepository {
  std::string hub;    ///< "https://huggingface.co", or a mirror
  std::string name;   ///< "owner/repo"
  std::string file;   ///< one file, or empty for the repository's model
  std::string token;  ///< may be empty
};

/// "owner/repo" or "owner/repo/path/of/file"; wrong_usage for anything else.
Result<HubRepository> parse_hub_source(std::string_view source, std::string hub, std::string token);

/// The files to fetch: the one named (with the other parts where it is a split GGUF); else a safetensors model with its
/// configuration; else the only GGUF there is. An error lists what to choose from.
Result<std::vector<std::string>> files_of_model(const HubRepository& repository);

/// The choice behind files_of_model among a repository's files.
Result<std::vector<std::string>> choose_files(const HubRepository& repository,
                                              const std::vector<std::string>& all);

std::string hub_url(const HubRepository& repository, const std::string& file);

}  // namespace baleen
