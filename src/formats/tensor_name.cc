#include "formats/tensor_name.h"

#include <charconv>

#include "base/check.h"

namespace baleen {
namespace {

constexpr std::string_view kStackEnd = "_exps.";

}  // namespace

std::optional<NumberedName> split_number(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  NumberedName parsed{};
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.number);
  const auto digits = static_cast<size_t>(end - name.data());
  if (error != std::errc() || parsed.number < 0 || std::to_string(parsed.number).size() != digits ||
      digits == name.size() || name[digits] != '.')
    return std::nullopt;
  parsed.rest = name.substr(digits + 1);
  return parsed;
}

std::string expert_name(std::string_view stack, int32_t expert) {
  const size_t end = stack.find(kStackEnd);
  CHECK(end != std::string_view::npos);
  std::string name(stack);
  return name.insert(end + kStackEnd.size(), std::to_string(expert) + ".");
}

std::optional<ExpertName> split_expert_name(std::string_view name) {
  const size_t end = name.find(kStackEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view stem = name.substr(0, end + kStackEnd.size());
  const auto expert = split_number(name, stem);
  if (!expert) return std::nullopt;
  return ExpertName{std::string(stem) + std::string(expert->rest), expert->number};
}

}  // namespace baleen
