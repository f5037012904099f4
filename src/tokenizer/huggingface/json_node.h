// Walking through tokenizer.json: a value, where it stands, and what was first found wrong with the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace baleen::huggingface {

/// The first thing wrong with a file; later ones follow from it.
class Problem {
 public:
  void report(std::string_view path, std::string_view what) {
    if (!error_) error_ = Error{ErrorKind::bad_input, std::string(path) + ": " + std::string(what)};
  }
  bool found() const { return error_.has_value(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

/// A JSON value with its path. Values of the wrong kind are reported and read as empty.
class Node {
 public:
  Node(json::Value value, std::string path, Problem& problem)
      : value_(value), path_(std::move(path)), problem_(&problem) {}

  const json::Value& value() const { return value_; }
  const std::string& path() const { return path_; }
  Problem& problem() const { return *problem_; }
  void fail(std::string_view what) const { problem_->report(path_, what); }

  bool is_null() const { return value_.is_null(); }
  /// A member; null where it is absent.
  Node operator[](std::string_view key) const;
  /// An element of an array; `value` is its value.
  Node element(size_t index, json::Value value) const {
    return {value, path_ + "[" + std::to_string(index) + "]", *problem_};
  }
  /// Whether this is an array (reported where not).
  bool expect_array() const;

  /// A string; reported where it is not.
  std::string_view text() const;
  /// The member "type" of an object.
  std::string_view type() const { return (*this)["type"].text(); }
  /// A flag; `absent` where it is null.
  bool flag(bool absent) const;
  /// A number from 0 to `most`.
  int32_t integer(int32_t most) const;
  double number() const;

 private:
  json::Value value_;
  std::string path_;
  Problem* problem_;
};

/// Puts the elements of an array on a stack, the first one on top: parts named Sequence hold others, themselves too.
void push_elements(const Node& list, std::vector<Node>& stack);

}  // namespace baleen::huggingface
