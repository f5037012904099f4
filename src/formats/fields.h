// Typed, range-checked reading of named fields, whatever wrote them (GGUF metadata, config.json). The first
// error stays: a reader of many fields asks once at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace baleen {

template <class T>
struct Range {
  T least, most;
};

class Fields {
 public:
  virtual ~Fields() = default;

  bool has(std::string_view key) const { return !std::holds_alternative<Absent>(find(key)); }

  /// The field's value if it lies in `range`. An absent field is `fallback`, an error where there is none.
  int32_t integer(std::string_view key, Range<int32_t> range, std::optional<int32_t> fallback = std::nullopt);
  /// Finite.
  float real(std::string_view key, Range<float> range, std::optional<float> fallback = std::nullopt);
  bool flag(std::string_view key, std::optional<bool> fallback = std::nullopt);
  std::string_view text(std::string_view key, std::optional<std::string_view> fallback = std::nullopt);

  /// Records that the field is bad, unless an earlier error stays.
  void fail(std::string_view key, std::string_view what);
  /// The first error so far.
  Result<void> status() const;

 protected:
  struct Absent {};
  struct OtherKind {};  ///< arrays, objects
  using Value = std::variant<Absent, int64_t, double, bool, std::string_view, OtherKind>;

  virtual Value find(std::string_view key) const = 0;
  /// Names the field in an error, with its byte offset where there is one.
  virtual std::string describe(std::string_view key) const = 0;

 private:
  template <class T>
  T fall_back(std::string_view key, const std::optional<T>& fallback);

  std::optional<Error> error_;
};

}  // namespace baleen
