#include "server/openai/fields.h"

#include <fmt/format.h>

namespace baleen::openai {
namespace {

std::string_view name_of(json::Kind kind) {
  switch (kind) {
    case json::Kind::null:
      return "null";
    case json::Kind::boolean:
      return "a boolean";
    case json::Kind::integer:
      return "an integer";
    case json::Kind::real:
      return "a number";
    case json::Kind::string:
      return "a string";
    case json::Kind::array:
      return "an array";
    case json::Kind::object:
      return "an object";
  }
  return "something else";
}

std::unexpected<ApiError> wrong_type(std::string_view name, std::string_view expected, json::Kind got) {
  return std::unexpected(
      ApiError{.message = fmt::format("Invalid type for '{}': expected {}, but got {} instead.", name,
                                      expected, name_of(got)),
               .param = std::string(name),
               .code = "invalid_type"});
}

}  // namespace

Field<bool> boolean(std::string_view name, const json::Value& value) {
  if (const auto flag = value.boolean()) return *flag;
  return wrong_type(name, "a boolean", value.kind());
}

Field<int64_t> integer(std::string_view name, const json::Value& value, int64_t least, int64_t most) {
  const auto number = value.integer();
  if (!number && value.kind() == json::Kind::integer)  // beyond int64
    return std::unexpected(invalid(name, fmt::format("must be from {} to {}", least, most)));
  if (!number) return wrong_type(name, "an integer", value.kind());
  if (*number < least || *number > most)
    return std::unexpected(invalid(name, fmt::format("must be from {} to {}", least, most)));
  return *number;
}

Field<double> number(std::string_view name, const json::Value& value, double least, double most) {
  const auto number = value.number();
  if (!number) return wrong_type(name, "a number", value.kind());
  if (!(*number >= least && *number <= most))
    return std::unexpected(invalid(name, fmt::format("must be from {} to {}", least, most)));
  return *number;
}

Field<std::string_view> text(std::string_view name, const json::Value& value) {
  if (const auto string = value.string()) return *string;
  return wrong_type(name, "a string", value.kind());
}

Checked object(std::string_view name, const json::Value& value) {
  if (value.kind() != json::Kind::object) return wrong_type(name, "an object", value.kind());
  return {};
}

Checked array(std::string_view name, const json::Value& value, size_t most) {
  if (value.kind() != json::Kind::array) return wrong_type(name, "an array", value.kind());
  if (value.size() > most)
    return std::unexpected(invalid(name, fmt::format("must have at most {} elements", most)));
  return {};
}

}  // namespace baleen::openai
