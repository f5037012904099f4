#include "base/json_text.h"

#include <algorithm>

namespace baleen::json {
namespace {

// In valid JSON a value brings at most a key, a colon, a comma and a closing bracket with it.
constexpr size_t kTokensPerNode = 5;

/// One pass over the text, character classes outside strings only.
class Pass {
 public:
  Pass(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  Result<std::string> run() {
    if (text_.size() > limits_.bytes) return too_much(limits_.bytes, "bytes");
    while (at_ < text_.size()) {
      if (!step()) break;
    }
    if (depth_ > limits_.depth) return too_much(limits_.depth, "levels of nesting");
    if (nodes_ > limits_.nodes || tokens_ / kTokensPerNode > limits_.nodes)
      return too_much(limits_.nodes, "values");
    out_.append(text_.substr(copied_));
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> too_much(size_t limit, const char* unit) {
    return bad_input("JSON: more than " + std::to_string(limit) + " " + unit);
  }

  /// Consumes one token or white space; false once a limit is passed.
  bool step() {
    switch (text_[at_]) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        ++at_;
        return true;
      case '[':
      case '{':
        ++nodes_;
        ++depth_;
        ++at_;
        break;
      case ']':
      case '}':
        depth_ -= depth_ > 0 ? 1 : 0;
        ++at_;
        break;
      case ',':
        ++at_;
        break;
      case ':':
        nodes_ -= nodes_ > 0 ? 1 : 0;
        ++at_;
        break;  // the string before it was a key
      case '"':
        ++nodes_;
        skip_string();
        break;
      default:
        ++nodes_;
        take_scalar();
        break;
    }
    ++tokens_;
    return depth_ <= limits_.depth && nodes_ <= limits_.nodes + 1 &&
           tokens_ / kTokensPerNode <= limits_.nodes;
  }

  void skip_string() {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
  }

  void take_scalar() {
    const size_t begin = at_;
    at_ = std::min(text_.find_first_of(" \t\n\r[]{},:\"", at_), text_.size());
    if (!beyond_64_bits(text_.substr(begin, at_ - begin))) return;
    out_.append(text_.substr(copied_, at_ - copied_)).append("e0");
    copied_ = at_;
  }

  static bool beyond_64_bits(std::string_view scalar) {
    const bool negative = scalar.starts_with('-');
    const std::string_view digits = scalar.substr(negative ? 1 : 0);
    const std::string_view largest = negative ? "9223372036854775808" : "18446744073709551615";
    if (digits.size() < largest.size() || digits.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    return digits.size() > largest.size() || digits > largest;
  }

  std::string_view text_;
  const Limits& limits_;
  size_t at_ = 0, copied_ = 0;
  size_t nodes_ = 0, depth_ = 0, tokens_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> within_limits(std::string_view text, const Limits& limits) {
  return Pass(text, limits).run();
}

}  // namespace baleen::json
