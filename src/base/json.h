// The one JSON reader and writer. Reading: simdjson's DOM behind limits of ours (contract.md): bytes, nodes
// and depth are counted before parsing, duplicate keys are refused, integers outside int64/uint64 arrive as
// doubles.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace baleen::json {

struct Limits {
  size_t bytes, nodes, depth;
};
inline constexpr Limits kHttpLimits{8u << 20, 200'000, 64};
inline constexpr Limits kSafetensorsLimits{100'000'000, 4'000'000, 8};
inline constexpr Limits kFileLimits{64u << 20, 4'000'000, 64};

enum class Kind { null, boolean, integer, real, string, array, object };

/// A value inside a Document, valid as long as the document lives. Cheap to copy.
class Value {
 public:
  class Iterator;
  class Found;

  /// Null.
  Value() = default;

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_number() const { return kind() == Kind::integer || kind() == Kind::real; }

  /// Nothing where the value is of another kind (or does not fit).
  std::optional<bool> boolean() const;
  std::optional<int64_t> integer()
      const;  ///< also of a real without fraction that fits, as clients send 16.0
  std::optional<uint64_t> unsigned_integer() const;  ///< of an integer from 0 on
  std::optional<double> number() const;
  std::optional<std::string_view> string() const;

  /// Elements of an array or members of an object; 0 for other kinds.
  size_t size() const;
  /// Array elements and object members in order; key() is empty in arrays.
  Iterator begin() const;
  Iterator end() const;
  /// Linear in the number of members.
  Found find(std::string_view key) const;

 private:
  friend class Document;
  /// A place in the document's tape.
  struct Place {
    const void* document = nullptr;
    size_t index = 0;
    bool operator==(const Place&) const = default;
  };
  explicit Value(Place place) : place_(place) {}
  Place place_;
};

/// A member that may not be there: an optional whose * gives the value itself, not a reference into it, because
/// GCC 12's range-for keeps only the last temporary of `for (… : *value.find(…))` alive.
class Value::Found {
 public:
  Found() = default;
  Found(std::nullopt_t) {}
  Found(Value value) : value_(value), found_(true) {}

  bool has_value() const { return found_; }
  explicit operator bool() const { return found_; }
  Value operator*() const { return value(); }
  const Value* operator->() const {
    CHECK(found_);
    return &value_;
  }
  Value value() const {
    CHECK(found_);
    return value_;
  }
  Value value_or(Value other) const { return found_ ? value_ : other; }
  operator std::optional<Value>() const { return found_ ? std::optional(value_) : std::nullopt; }

 private:
  Value value_;
  bool found_ = false;
};

class Value::Iterator {
 public:
  std::string_view key() const;
  Value value() const;
  std::pair<std::string_view, Value> operator*() const { return {key(), value()}; }
  Iterator& operator++();
  bool operator==(const Iterator&) const = default;

 private:
  friend class Value;
  Iterator(Place place, bool in_object) : place_(place), in_object_(in_object) {}
  Place place_;
  bool in_object_;
};

class Document {
 public:
  /// The text need not be padded. bad_input for anything but one valid JSON value within the limits.
  static Result<Document> parse(std::string_view text, const Limits& limits);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  Value root() const;

 private:
  struct State;
  explicit Document(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Appends JSON to a string, one call a token; commas and colons come by themselves. Invalid UTF-8 is written
/// as U+FFFD; a number that JSON cannot express (NaN, infinity) as null.
class Writer {
 public:
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(bool flag);
  template <std::integral T>
  Writer& value(T number) {
    if constexpr (std::signed_integral<T>)
      return integer(int64_t{number});
    else
      return unsigned_integer(uint64_t{number});
  }
  Writer& value(double number);
  Writer& value(float number);  ///< the shortest text that reads back as the same float
  Writer& null();
  /// Text that is already one JSON value.
  Writer& raw(std::string_view json);
  /// A value that was read, unchanged: integers stay integers and reals reals (1.0), members keep their order.
  Writer& copy(const Value& value);
  template <class T>
  Writer& member(std::string_view name, T&& v) {
    return key(name).value(std::forward<T>(v));
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  Writer& integer(int64_t number);
  Writer& unsigned_integer(uint64_t number);
  void copy_scalar(const Value& value);
  void separate();
  void quote(std::string_view text);
  std::string out_;
  bool need_comma_ = false;
};

}  // namespace baleen::json
