#include "cli/model_store.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "formats/gguf_split.h"

namespace baleen {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kGguf = ".gguf";

std::string_view stem_of(std::string_view file) {
  if (file.ends_with(kGguf)) file.remove_suffix(kGguf.size());
  return file;
}

std::optional<GgufPartName> part_name(std::string_view file) { return parse_gguf_part_name(stem_of(file)); }

uint64_t size_of_folder(const fs::path& folder) {
  std::error_code ignored;
  uint64_t bytes = 0;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored))
    if (entry->is_regular_file(ignored)) bytes += entry->file_size(ignored);
  return bytes;
}

void add_file(const fs::directory_entry& entry, std::map<std::string, StoredModel>& models) {
  const std::string file = entry.path().filename().string();
  if (!file.ends_with(kGguf)) return;
  const auto split = part_name(file);
  StoredModel& model = models[model_name_of(file)];
  std::error_code ignored;
  model.bytes += entry.file_size(ignored);
  if (!split || split->part == 1) model.path = entry.path();
}

}  // namespace

Result<fs::path> model_folder() {
  if (const char* home = std::getenv("BALEEN_HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / "models";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".local/share/baleen/models";
  return failed("where are the models? neither BALEEN_HOME nor HOME is set");
}

Result<std::vector<StoredModel>> stored_models() {
  auto folder = model_folder();
  if (!folder) return error_of(folder);
  std::map<std::string, StoredModel> models;
  std::error_code ignored;
  for (fs::directory_iterator entry(*folder, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->is_regular_file(ignored)) {
      add_file(*entry, models);
    } else if (fs::exists(entry->path() / "config.json", ignored)) {
      models[entry->path().filename().string()] = {"", entry->path(), size_of_folder(entry->path())};
    }
  }
  std::vector<StoredModel> sorted;
  for (auto& [name, model] : models) {
    if (model.path.empty()) continue;  // parts of a split model without its first
    model.name = name;
    sorted.push_back(std::move(model));
  }
  return sorted;
}

std::string model_name_of(std::string_view file) {
  const auto split = part_name(file);
  return std::string(split ? split->name : stem_of(file));
}

bool is_split_file(std::string_view file) { return part_name(file).has_value(); }

Result<fs::path> find_model(std::string_view name_or_path) {
  std::error_code ignored;
  if (!name_or_path.empty() && fs::exists(fs::path(name_or_path), ignored)) return fs::path(name_or_path);
  auto models = stored_models();
  if (!models) return error_of(models);
  const bool wants_default = name_or_path.empty() || name_or_path == "default";
  const std::string_view name = wants_default ? kDefaultModel : stem_of(name_or_path);
  const auto found = std::ranges::find(*models, name, &StoredModel::name);
  if (found != models->end()) return found->path;
  if (wants_default)
    return bad_input("the default model is not here yet: fetch it with `baleen pull default`");
  return bad_input(std::string(name_or_path) +
                   ": no such file and no pulled model of that name (see `baleen list`)");
}

}  // namespace baleen
