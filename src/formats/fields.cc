#include "formats/fields.h"

#include <fmt/format.h>

#include <cmath>

namespace baleen {

template <class T>
T Fields::fall_back(std::string_view key, const std::optional<T>& fallback) {
  if (!fallback) fail(key, "is missing");
  return fallback.value_or(T{});
}

int32_t Fields::integer(std::string_view key, Range<int32_t> range, std::optional<int32_t> fallback) {
  const Value value = find(key);
  if (std::holds_alternative<Absent>(value)) return fall_back(key, fallback);
  const int64_t* number = std::get_if<int64_t>(&value);
  if (number == nullptr) {
    fail(key, "must be an integer");
  } else if (*number < range.least || *number > range.most) {
    fail(key, fmt::format("is {}, must lie in {} to {}", *number, range.least, range.most));
  } else {
    return static_cast<int32_t>(*number);
  }
  return range.least;
}

float Fields::real(std::string_view key, Range<float> range, std::optional<float> fallback) {
  const Value value = find(key);
  if (std::holds_alternative<Absent>(value)) return fall_back(key, fallback);
  double number = 0;
  if (const auto* real = std::get_if<double>(&value)) {
    number = *real;
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    number = static_cast<double>(*integer);
  } else {
    fail(key, "must be a number");
    return range.least;
  }
  if (number >= range.least && number <= range.most) return static_cast<float>(number);  // false for NaN
  fail(key, fmt::format("is {}, must lie in {} to {}", number, range.least, range.most));
  return range.least;
}

bool Fields::flag(std::string_view key, std::optional<bool> fallback) {
  const Value value = find(key);
  if (std::holds_alternative<Absent>(value)) return fall_back(key, fallback);
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  fail(key, "must be true or false");
  return false;
}

std::string_view Fields::text(std::string_view key, std::optional<std::string_view> fallback) {
  const Value value = find(key);
  if (std::holds_alternative<Absent>(value)) return fall_back(key, fallback);
  if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
  fail(key, "must be a string");
  return {};
}

void Fields::fail(std::string_view key, std::string_view what) {
  if (!error_) error_ = Error{ErrorKind::bad_input, fmt::format("{}: {}", describe(key), what)};
}

Result<void> Fields::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace baleen
