#include "tokenizer/normalizer.h"

#include <charconv>
#include <utility>

#include "base/check.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/flat_map.h"
#include "tokenizer/unicode.h"
#include "tokenizer/unicode_data.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

class Form final : public NormalizerStep {
 public:
  explicit Form(NormalForm form) : form_(form) {}
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    return normalized(text, form_, buffer);
  }

 private:
  NormalForm form_;
};

class Prepend final : public NormalizerStep {
 public:
  explicit Prepend(std::string_view prefix) : prefix_(prefix) {}
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    if (text.empty()) return text;
    buffer.assign(prefix_).append(text);
    return buffer;
  }

 private:
  std::string prefix_;
};

class Replace final : public NormalizerStep {
 public:
  Replace(std::string_view from, std::string_view to) : from_(from), to_(to) { CHECK(!from.empty()); }
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    size_t at = text.find(from_);
    if (at == text.npos) return text;
    buffer.clear();
    buffer.reserve(text.size() + text.size() / 4);
    for (; at != text.npos; at = text.find(from_)) {
      buffer.append(text.substr(0, at)).append(to_);
      text.remove_prefix(at + from_.size());
    }
    buffer.append(text);
    return buffer;
  }

 private:
  std::string from_, to_;
};

class ReplaceMatches final : public NormalizerStep {
 public:
  ReplaceMatches(Expression expression, std::string_view to) : expression_(std::move(expression)), to_(to) {}
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    CHECK(text.size() < INT32_MAX);
    std::vector<Piece> matches;
    Expression::Search(expression_, text).find_all({0, static_cast<uint32_t>(text.size())}, matches);
    if (matches.empty()) return text;
    buffer.clear();
    uint32_t at = 0;
    for (const Piece match : matches) {
      buffer.append(text.substr(at, match.begin - at)).append(to_);
      at = match.end;
    }
    buffer.append(text.substr(at));
    return buffer;
  }

 private:
  Expression expression_;
  std::string to_;
};

/// Full lower cases (Unicode's SpecialCasing without conditions).
class LowerCase final : public NormalizerStep {
 public:
  LowerCase() {
    const char *p = kLowerCases.data(), *const end = p + kLowerCases.size();
    const auto number = [&] {
      uint32_t value = 0;
      p = std::from_chars(p, end, value, 16).ptr;
      return char32_t{value};
    };
    while (p < end) {
      const char32_t point = number();
      lower_.set(point, static_cast<uint32_t>(targets_.size()));
      while (*p == ',') targets_.push_back((++p, number()));
      targets_.push_back(0);
      ++p;
    }
  }
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    buffer.clear();
    for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
      const char32_t point = next_code_point(p);
      const uint32_t* lower = lower_.find(point);
      if (lower == nullptr) {
        append_utf8(point, buffer);
        continue;
      }
      for (size_t i = *lower; targets_[i] != 0; ++i) append_utf8(targets_[i], buffer);
    }
    return buffer;
  }

 private:
  FlatMap<uint32_t> lower_;        // where a character's targets begin
  std::vector<char32_t> targets_;  // each list ends with 0
};

class StripAccents final : public NormalizerStep {
 public:
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    buffer.clear();
    for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
      const char* const begin = p;
      if ((category(next_code_point(p)) & kMark) == 0) buffer.append(begin, p);
    }
    return buffer;
  }
};

class Strip final : public NormalizerStep {
 public:
  explicit Strip(Sides sides) : sides_(sides) {}
  std::string_view apply(std::string_view text, std::string&) const override {
    if (sides_ != Sides::right) {
      while (!text.empty()) {
        const char* p = text.data();
        if ((category(next_code_point(p)) & kSpace) == 0) break;
        text.remove_prefix(static_cast<size_t>(p - text.data()));
      }
    }
    while (sides_ != Sides::left && !text.empty()) {
      size_t last = text.size() - 1;
      while (last > 0 && (text[last] & 0xC0) == 0x80) --last;
      const char* p = text.data() + last;
      if ((category(next_code_point(p)) & kSpace) == 0) break;
      text = text.substr(0, last);
    }
    return text;
  }

 private:
  Sides sides_;
};

class ToByteAlphabet final : public NormalizerStep {
 public:
  std::string_view apply(std::string_view text, std::string& buffer) const override {
    buffer.clear();
    for (const char byte : text) append_utf8(character_of(static_cast<uint8_t>(byte)), buffer);
    return buffer;
  }
};

}  // namespace

std::string_view Normalizer::apply(std::string_view text, Buffers& buffers) const {
  size_t free = 0;  // the buffer that text does not lie in
  for (const auto& step : steps_) {
    std::string& buffer = buffers[free];
    const std::string_view out = step->apply(text, buffer);
    // A step may also give back a part of its own input.
    if (out.data() >= buffer.data() && out.data() <= buffer.data() + buffer.size()) free = 1 - free;
    text = out;
  }
  return text;
}

std::unique_ptr<NormalizerStep> normalize_to(NormalForm form) { return std::make_unique<Form>(form); }
std::unique_ptr<NormalizerStep> prepend(std::string_view prefix) { return std::make_unique<Prepend>(prefix); }
std::unique_ptr<NormalizerStep> replace(std::string_view from, std::string_view to) {
  return std::make_unique<Replace>(from, to);
}
std::unique_ptr<NormalizerStep> replace_matches(Expression expression, std::string_view to) {
  return std::make_unique<ReplaceMatches>(std::move(expression), to);
}
std::unique_ptr<NormalizerStep> lower_case() { return std::make_unique<LowerCase>(); }
std::unique_ptr<NormalizerStep> strip_accents() { return std::make_unique<StripAccents>(); }
std::unique_ptr<NormalizerStep> strip(Sides sides) { return std::make_unique<Strip>(sides); }
std::unique_ptr<NormalizerStep> to_byte_alphabet() { return std::make_unique<ToByteAlphabet>(); }

}  // namespace baleen
