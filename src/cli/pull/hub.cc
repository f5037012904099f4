#include "cli/pull/hub.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "cli/model_store.h"
#include "cli/pull/download.h"

namespace baleen {
namespace {

constexpr size_t kMaxListing = size_t{16} << 20;

// What a Hugging Face folder needs beside its weights to be run.
constexpr auto kCompanions = std::to_array<std::string_view>(
    {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
     "special_tokens_map.json", "added_tokens.json", "tokenizer.model", "vocab.json", "merges.txt",
     "chat_template.jinja", "chat_template.json", "model.safetensors.index.json"});

bool is_plain_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && name.size() <= 255 &&
         std::ranges::none_of(name,
                              [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '/' || c == '\\'; });
}

/// A relative path of plain names: nothing that leaves the folder it is put into.
bool is_plain_path(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    if (!is_plain_name(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::vector<std::string>> list_files(const HubRepository& repository) {
  const std::string url = repository.hub + "/api/models/" + repository.name + "/revision/main";
  auto text = download_text(url, repository.token, kMaxListing);
  if (!text) return error_of(text);
  auto document = json::Document::parse(*text, json::kFileLimits);
  if (!document) return failed(url + ": " + document.error().message);
  const auto siblings = document->root().find("siblings");
  if (!siblings) return failed(url + ": the answer has no list of files");
  std::vector<std::string> files;
  for (const auto& [key, sibling] : *siblings) {
    const auto field = sibling.find("rfilename");
    const auto name = field ? field->string() : std::nullopt;
    if (name && is_plain_path(*name)) files.emplace_back(*name);
  }
  return files;
}

std::vector<std::string> safetensors_model(const std::vector<std::string>& all) {
  std::vector<std::string> files;
  bool weights = false;
  for (const std::string& file : all) {
    const bool is_weights = file.ends_with(".safetensors") && file.find('/') == std::string::npos;
    weights |= is_weights;
    if (is_weights || std::ranges::find(kCompanions, file) != kCompanions.end()) files.push_back(file);
  }
  if (!weights) files.clear();
  return files;
}

/// The parts of the split GGUF that `file` belongs to, or `file` alone.
std::vector<std::string> with_other_parts(const std::string& file, const std::vector<std::string>& all) {
  std::vector<std::string> parts;
  for (const std::string& other : all)
    if (model_name_of(other) == model_name_of(file)) parts.push_back(other);
  if (parts.empty()) parts.push_back(file);
  std::ranges::sort(parts);
  return parts;
}

}  // namespace

Result<HubRepository> parse_hub_source(std::string_view source, std::string hub, std::string token) {
  const size_t first = source.find('/');
  const size_t second = first == std::string_view::npos ? first : source.find('/', first + 1);
  const bool has_file = second != std::string_view::npos;
  if (first == std::string_view::npos || !is_plain_path(source))
    return wrong_usage(std::string(source) +
                       ": a repository is written owner/repo, a file in it owner/repo/file");
  while (hub.ends_with('/')) hub.pop_back();
  return HubRepository{std::move(hub), std::string(source.substr(0, second)),
                       std::string(has_file ? source.substr(second + 1) : ""), std::move(token)};
}

Result<std::vector<std::string>> files_of_model(const HubRepository& repository) {
  if (!repository.file.empty() && !is_split_file(repository.file)) return std::vector{repository.file};
  auto all = list_files(repository);
  if (!all) return error_of(all);
  return choose_files(repository, *all);
}

Result<std::vector<std::string>> choose_files(const HubRepository& repository,
                                              const std::vector<std::string>& all) {
  if (!repository.file.empty()) return with_other_parts(repository.file, all);
  auto model = safetensors_model(all);
  if (!model.empty()) return model;
  std::vector<std::string> choices;
  std::string listed;
  for (const std::string& file : all) {
    const auto same = [&](const std::string& other) { return model_name_of(other) == model_name_of(file); };
    if (!file.ends_with(".gguf") || std::ranges::any_of(choices, same)) continue;
    choices.push_back(file);
    listed += (listed.empty() ? "" : ", ") + file;
  }
  if (choices.empty())
    return failed(repository.name + ": neither safetensors nor GGUF files are in this repository");
  if (choices.size() > 1)
    return wrong_usage(repository.name + " has several models, name one (hf:" + repository.name +
                       "/FILE): " + listed);
  return with_other_parts(choices[0], all);
}

std::string hub_url(const HubRepository& repository, const std::string& file) {
  std::string url = repository.hub + "/" + repository.name + "/resolve/main";
  size_t begin = 0;
  while (begin <= file.size()) {
    const size_t end = std::min(file.find('/', begin), file.size());
    url += "/" + url_segment(file.substr(begin, end - begin));
    begin = end + 1;
  }
  return url;
}

}  // namespace baleen
