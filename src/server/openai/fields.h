// Reads fields of a request: a value of the right type in the right range, or an error that names the field.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/json.h"
#include "server/openai/api_error.h"

namespace baleen::openai {

template <class T>
using Field = std::expected<T, ApiError>;
using Checked = std::expected<void, ApiError>;

Field<bool> boolean(std::string_view name, const json::Value& value);
Field<int64_t> integer(std::string_view name, const json::Value& value, int64_t least, int64_t most);
Field<double> number(std::string_view name, const json::Value& value, double least, double most);
/// Valid as long as the document.
Field<std::string_view> text(std::string_view name, const json::Value& value);
Checked object(std::string_view name, const json::Value& value);
Checked array(std::string_view name, const json::Value& value, size_t most);

/// Stores a field that was read, hands on its error.
template <class T, class To>
Checked store(const Field<T>& field, To& to) {
  if (!field.has_value()) return std::unexpected(field.error());
  to = static_cast<To>(field.value());
  return {};
}

}  // namespace baleen::openai
