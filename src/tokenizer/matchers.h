// Matchers of the published pre-tokenizer expressions: each returns the end of the match at `p`, or null.
// The expression stands above each. `p` < `end`, and [p, end) is valid UTF-8.
#pragma once

#include "tokenizer/unicode.h"
#include "tokenizer/utf8_text.h"

namespace baleen::matchers {

/// The character at p and where the next one begins.
struct Character {
  CategorySet category;
  const char* next;
};

inline constexpr std::array<CategorySet, 128> kAscii = [] {
  std::array<CategorySet, 128> table{};
  for (char32_t c = 0; c < 128; ++c) {
    const auto any_of = [c](std::string_view set) { return set.find(static_cast<char>(c)) != set.npos; };
    table[c] = c >= 'A' && c <= 'Z'   ? kLu
               : c >= 'a' && c <= 'z' ? kLl
               : c >= '0' && c <= '9' ? kNd
               : (c >= 9 && c <= 13)  ? kControlSpace
               : c < 32 || c == 127   ? kCc
               : c == ' '             ? kZs
               : any_of("+<=>|~")     ? kSm
               : c == '$'             ? kSc
               : any_of("^`")         ? kSk
               : c == '_'             ? kPc
               : c == '-'             ? kPd
               : any_of("([{")        ? kPs
               : any_of(")]}")        ? kPe
                                      : kPo;
  }
  return table;
}();

inline Character character_at(const char* p) {
  const auto lead = static_cast<unsigned char>(*p);
  if (lead < 128) return {kAscii[lead], p + 1};
  const char32_t point = next_code_point(p);
  return {category(point), p};
}

/// Past the characters of a set.
inline const char* skip(const char* p, const char* end, CategorySet set) {
  while (p < end) {
    const Character c = character_at(p);
    if ((c.category & set) == 0) break;
    p = c.next;
  }
  return p;
}

/// Past at most `most` characters of a set.
inline const char* skip_some(const char* p, const char* end, CategorySet set, int most) {
  for (int i = 0; i < most && p < end; ++i) {
    const Character c = character_at(p);
    if ((c.category & set) == 0) break;
    p = c.next;
  }
  return p;
}

inline bool is_newline(char c) { return c == '\r' || c == '\n'; }

/// 's|'t|'re|'ve|'m|'ll|'d
inline const char* contraction(const char* p, const char* end) {
  if (*p != '\'' || end - p < 2) return nullptr;
  const char a = p[1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return p + 2;
  if (end - p < 3) return nullptr;
  const char b = p[2];
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? p + 3 : nullptr;
}

/// (?i:'s|'t|'re|'ve|'m|'ll|'d); U+017F, the long s, folds to s.
inline const char* contraction_of_any_case(const char* p, const char* end) {
  if (*p != '\'' || end - p < 2) return nullptr;
  if (end - p >= 3 && p[1] == '\xC5' && p[2] == '\xBF') return p + 3;
  const char lowered[3] = {'\'', static_cast<char>(p[1] | 0x20),
                           end - p > 2 ? static_cast<char>(p[2] | 0x20) : '\0'};
  const char* match = contraction(lowered, lowered + (end - p > 2 ? 3 : 2));
  return match == nullptr ? nullptr : p + (match - lowered);
}

/// \s+(?!\S)|\s+ where a run of white space from p ends at `run`: all of it at the end of the piece, else all
/// but the last character, which belongs to what follows, unless it stands alone.
inline const char* trailing_space(const char* p, const char* run, const char* end) {
  if (run == end) return run;
  const char* last = run - 1;
  while ((*last & 0xC0) == 0x80) --last;
  return last > p ? last : run;
}

/// \s*[\r\n]+|\s+(?!\S)|\s+
inline const char* space(const char* p, const char* end) {
  const char* run = skip(p, end, kSpace);
  if (run == p) return nullptr;
  for (const char* q = run; q > p; --q)
    if (is_newline(q[-1])) return q;
  return trailing_space(p, run, end);
}

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
inline const char* gpt2(const char* p, const char* end) {
  if (const char* match = contraction(p, end)) return match;
  const char* q = *p == ' ' && p + 1 < end ? p + 1 : p;
  const Character c = character_at(q);
  if (c.category & kLetter) return skip(c.next, end, kLetter);
  if (c.category & kNumber) return skip(c.next, end, kNumber);
  if ((c.category & kSpace) == 0) return skip(c.next, end, ~(kSpace | kLetter | kNumber));
  return trailing_space(p, skip(p, end, kSpace), end);
}

/// [^\r\n\p{L}\p{N}]?[set]+ where the set has the letters
inline const char* word(const char* p, const char* end, CategorySet set) {
  const Character c = character_at(p);
  if (c.category & set) return skip(c.next, end, set);
  if ((c.category & kNumber) || is_newline(*p) || c.next == end) return nullptr;
  const char* run = skip(c.next, end, set);
  return run == c.next ? nullptr : run;
}

/// ` ?[set]+` and then newlines, and slashes where `slashes` says so.
inline const char* symbols(const char* p, const char* end, CategorySet set, bool slashes) {
  const char* q = *p == ' ' ? p + 1 : p;
  const char* run = skip(q, end, set);
  if (run == q) return nullptr;
  while (run < end && (is_newline(*run) || (slashes && *run == '/'))) ++run;
  return run;
}

inline constexpr CategorySet kOther = ~(kSpace | kLetter | kNumber);

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|
/// \s+(?!\S)|\s+ (cl100k: Llama 3 with 3 digits, Qwen with 1). With marks in `letters` they count as letters, not as
/// other characters (Qwen 3.5).
template <int digits, CategorySet letters = kLetter>
const char* cl100k(const char* p, const char* end) {
  if (const char* match = contraction_of_any_case(p, end)) return match;
  if (const char* match = word(p, end, letters)) return match;
  if (const char* match = skip_some(p, end, kNumber, digits); match != p) return match;
  if (const char* match = symbols(p, end, kOther & ~letters, false)) return match;
  return space(p, end);
}

inline constexpr CategorySet kUpper = kLu | kLt | kLm | kLo | kMark, kLower = kLl | kLm | kLo | kMark;

/// [U]*[W]+ where U = \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M} and W = \p{Ll}\p{Lm}\p{Lo}\p{M}: as many of U as leave
/// one of W.
inline const char* ends_lower(const char* p, const char* end) {
  const char* after_both = nullptr;  // where the last character of both sets ends
  while (p < end) {
    const Character c = character_at(p);
    if ((c.category & kUpper) == 0) break;
    p = c.next;
    if (c.category & kLower) after_both = p;
  }
  const char* run = skip(p, end, kLower);
  return run > p ? run : after_both;
}

/// [^\r\n\p{L}\p{N}]?[U]*[W]+|[^\r\n\p{L}\p{N}]?[U]+[W]*
inline const char* cased_word(const char* p, const char* end) {
  const Character c = character_at(p);
  const bool prefix = (c.category & (kLetter | kNumber)) == 0 && !is_newline(*p);
  if (prefix && c.next < end)
    if (const char* match = ends_lower(c.next, end)) return match;
  if (const char* match = ends_lower(p, end)) return match;
  // No character of W follows here, so [U]+ alone is left.
  const char* start = prefix ? c.next : p;
  const char* run = skip(start, end, kUpper);
  return run > start ? run : nullptr;
}

/// o200k: cased_word, with (?i:'s|…)? after it if `contractions`, |\p{N}{1,digits}|
/// ?[^\s\p{L}\p{N}]+[\r\n/]*|
/// \s*[\r\n]+|\s+(?!\S)|\s+
template <int digits, bool contractions>
const char* o200k(const char* p, const char* end) {
  if (const char* match = cased_word(p, end)) {
    if (!contractions || match == end) return match;
    const char* longer = contraction_of_any_case(match, end);
    return longer == nullptr ? match : longer;
  }
  if (const char* match = skip_some(p, end, kNumber, digits); match != p) return match;
  if (const char* match = symbols(p, end, kOther, true)) return match;
  return space(p, end);
}

/// [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
/// ?[\p{P}\p{S}]+[\r\n]*|
/// \s*[\r\n]+|\s+(?!\S)|\s+ (DeepSeek-V3's third stage)
inline const char* deepseek3(const char* p, const char* end) {
  const Character c = character_at(p);
  const auto is_ascii_letter = [](char letter) { return (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z'; };
  if (static_cast<unsigned char>(*p) < 128 && (c.category & (kPunctuation | kSymbol)) && c.next < end &&
      is_ascii_letter(*c.next)) {
    const char* run = c.next;
    while (run < end && is_ascii_letter(*run)) ++run;
    return run;
  }
  if (c.category & (kLetter | kMark)) return skip(c.next, end, kLetter | kMark);
  if ((c.category & (kPunctuation | kSymbol)) == 0 && !is_newline(*p)) {
    const char* run = skip(c.next, end, kLetter | kMark);
    if (run > c.next) return run;
  }
  if (const char* match = symbols(p, end, kPunctuation | kSymbol, false)) return match;
  return space(p, end);
}

/// [set]{1,most}
template <CategorySet set, int most>
const char* some(const char* p, const char* end) {
  const char* run = skip_some(p, end, set, most);
  return run == p ? nullptr : run;
}

/// [set]+
template <CategorySet set>
const char* all(const char* p, const char* end) {
  const char* run = skip(p, end, set);
  return run == p ? nullptr : run;
}

/// \s?[set]+
template <CategorySet set>
const char* all_after_space(const char* p, const char* end) {
  const Character c = character_at(p);
  const char* start = c.category & kSpace ? c.next : p;
  const char* run = skip(start, end, set);
  return run == start ? nullptr : run;
}

}  // namespace baleen::matchers
