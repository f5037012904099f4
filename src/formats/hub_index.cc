#include "formats/hub_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "formats/error_text.h"

namespace baleen {
namespace {

constexpr std::string_view kEnding = ".safetensors";

bool is_plain_name(std::string_view name) {
  return name.size() > kEnding.size() && name.size() <= 255 && name.ends_with(kEnding) &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

}  // namespace

Result<HubIndex> HubIndex::parse(std::string_view text) {
  auto document = json::Document::parse(text, json::kFileLimits);
  if (!document) return error_of(document);
  const auto map = document->root().find("weight_map");
  if (!map || map->kind() != json::Kind::object || map->size() == 0)
    return bad_input("weight_map: must be an object that names a file for each tensor");
  HubIndex index;
  for (const auto [tensor, value] : *map) {
    const auto file = value.string();
    if (!file) return bad_input(fmt::format("weight_map.{}: must be a file name", shown(tensor)));
    if (!is_plain_name(*file))
      return bad_input(fmt::format("weight_map.{}: \"{}\" is no .safetensors file of this folder",
                                   shown(tensor), shown(*file)));
    index.files_.emplace(*file);
    index.tensors_.emplace_back(*file, tensor);
  }
  std::ranges::sort(index.tensors_);
  return index;
}

Result<void> HubIndex::check(const std::string& file, const std::vector<SafetensorsEntry>& entries) const {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  auto stated = std::ranges::equal_range(tensors_, file, {}, &std::pair<std::string, std::string>::first);
  auto name = names.begin();
  for (const auto& [unused, tensor] : stated) {
    if (name != names.end() && *name < tensor)
      return bad_input(
          fmt::format("tensor {} (header at byte 8): the index does not place it here", shown(*name)));
    if (name == names.end() || *name != tensor)
      return bad_input(
          fmt::format("tensor {} (header at byte 8): is missing, the index places it here", shown(tensor)));
    ++name;
  }
  if (name != names.end())
    return bad_input(
        fmt::format("tensor {} (header at byte 8): the index does not place it here", shown(*name)));
  return {};
}

}  // namespace baleen
