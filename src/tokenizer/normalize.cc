#include "tokenizer/normalize.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "tokenizer/flat_map.h"
#include "tokenizer/unicode_data.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

// Hangul syllables are computed (Unicode 3.12).
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTrails = 0x11A7;
constexpr char32_t kVowelCount = 21, kTrailCount = 28, kLeadCount = 19;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;

uint32_t read_number(const char*& p, const char* end, int base) {
  uint32_t value = 0;
  const auto [after, error] = std::from_chars(p, end, value, base);
  CHECK(error == std::errc());
  p = after;
  return value;
}

struct Decomposition {
  uint32_t begin = 0, count = 0;  // into Data::targets
  bool compatibility = false;
};

/// The tables, unfolded.
struct Data {
  FlatMap<uint8_t> combining;  // classes that are not 0
  FlatMap<Decomposition> decompositions;
  std::vector<char32_t> targets;
  FlatMap<char32_t> compositions;  // by first << 32 | second
  FlatMap<uint8_t> seconds;        // characters that a composition may take in

  Data() {
    read_combining();
    read_decompositions();
    for (char32_t i = 0; i < kVowelCount; ++i) seconds.set(kVowels + i, 1);
    for (char32_t i = 1; i < kTrailCount; ++i) seconds.set(kTrails + i, 1);
  }

  uint8_t combining_class(char32_t point) const {
    const uint8_t* found = combining.find(point);
    return found == nullptr ? 0 : *found;
  }

 private:
  void read_combining() {
    const char *p = kCombiningRuns.data(), *end = p + kCombiningRuns.size();
    for (uint32_t point = 0; p < end; ++p) {
      point += read_number(p, end, 10);
      const uint32_t length = read_number(++p, end, 10);
      const auto value = static_cast<uint8_t>(read_number(++p, end, 10));
      for (uint32_t i = 0; i < length; ++i) combining.set(point++, value);
    }
  }
  void read_decompositions() {
    const char *p = kDecompositions.data(), *end = p + kDecompositions.size();
    uint32_t point = 0;
    while (p < end) {
      point = *p == '=' || *p == '!' || *p == '~' ? point + 1 : read_number(p, end, 16);
      const char mark = *p;
      Decomposition made{static_cast<uint32_t>(targets.size()), 0, mark == '~'};
      do targets.push_back(read_number(++p, end, 16));
      while (*p == ',');
      ++p;
      made.count = static_cast<uint32_t>(targets.size()) - made.begin;
      decompositions.set(point, made);
      if (mark != '=') continue;
      compositions.set(uint64_t{targets[made.begin]} << 32 | targets[made.begin + 1], point);
      seconds.set(targets[made.begin + 1], 1);
    }
  }
};

const Data& data() {
  static const Data tables;
  return tables;
}

class Normalizer {
 public:
  Normalizer(NormalForm form, std::string& out) : form_(form), out_(out) {}

  void add(char32_t point) {
    const size_t before = characters_.size();
    decompose(point);
    const Character first = characters_[before];
    // Nothing before a starter that no composition takes in reacts with it or with what follows: it is
    // settled.
    if (before == 0 || first.combining != 0 || data().seconds.find(first.point) != nullptr) return;
    held_.assign(characters_.begin() + static_cast<ptrdiff_t>(before), characters_.end());
    characters_.resize(before);
    flush();
    characters_.swap(held_);
  }
  void flush() {
    sort_marks();
    if (form_ == NormalForm::nfc || form_ == NormalForm::nfkc) compose();
    for (const Character& c : characters_) append_utf8(c.point, out_);
    characters_.clear();
  }

 private:
  struct Character {
    char32_t point;
    uint8_t combining;
  };

  bool compatibility() const { return form_ == NormalForm::nfkc || form_ == NormalForm::nfkd; }

  void decompose(char32_t point) {
    // Targets may decompose again, first ones canonically several times: a small stack, not recursion.
    std::vector<char32_t>& stack = stack_;
    stack.assign(1, point);
    while (!stack.empty()) {
      const char32_t c = stack.back();
      stack.pop_back();
      const Decomposition* found = data().decompositions.find(c);
      if (found != nullptr && (!found->compatibility || compatibility())) {
        for (uint32_t i = found->count; i-- > 0;) stack.push_back(data().targets[found->begin + i]);
      } else if (c - kSyllables < kSyllableCount) {
        const char32_t index = c - kSyllables;
        characters_.push_back({kLeads + index / (kVowelCount * kTrailCount), 0});
        characters_.push_back({kVowels + index / kTrailCount % kVowelCount, 0});
        if (index % kTrailCount != 0) characters_.push_back({kTrails + index % kTrailCount, 0});
      } else {
        characters_.push_back({c, data().combining_class(c)});
      }
    }
  }

  void sort_marks() {
    for (auto begin = characters_.begin(); begin != characters_.end();) {
      if (begin->combining == 0) {
        ++begin;
        continue;
      }
      const auto end =
          std::find_if(begin, characters_.end(), [](const Character& c) { return c.combining == 0; });
      std::stable_sort(begin, end,
                       [](const Character& a, const Character& b) { return a.combining < b.combining; });
      begin = end;
    }
  }

  static char32_t pair(char32_t first, char32_t second) {  // 0: no composition
    if (first - kLeads < kLeadCount && second - kVowels < kVowelCount)
      return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
    if (first - kSyllables < kSyllableCount && (first - kSyllables) % kTrailCount == 0 && second > kTrails &&
        second < kTrails + kTrailCount)
      return first + (second - kTrails);
    const char32_t* found = data().compositions.find(uint64_t{first} << 32 | second);
    return found == nullptr ? 0 : *found;
  }

  /// Canonical composition (Unicode 3.11, D117), in place.
  void compose() {
    size_t kept = 0;
    size_t starter = characters_.size();  // none yet
    for (const Character c : characters_) {
      // Blocked: something between the starter and c has no lower class than c.
      const bool blocked = kept > starter + 1 && characters_[kept - 1].combining >= c.combining;
      const bool adjacent = kept == starter + 1;
      if (starter < kept && (adjacent || !blocked)) {
        if (const char32_t whole = pair(characters_[starter].point, c.point); whole != 0) {
          characters_[starter].point = whole;
          continue;
        }
      }
      if (c.combining == 0) starter = kept;
      characters_[kept++] = c;
    }
    characters_.resize(kept);
  }

  NormalForm form_;
  std::string& out_;
  std::vector<Character> characters_, held_;
  std::vector<char32_t> stack_;
};

/// Bytes at the start that are below U+0300: no mark, no second of a composition; in NFC they stay as they
/// are.
size_t plain_prefix(std::string_view text, NormalForm form) {
  const unsigned char first_other = form == NormalForm::nfc ? 0xCC : 0x80;  // U+0300 is CC 80
  size_t i = 0;
  while (i < text.size()) {
    uint64_t eight;
    if (text.size() - i >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + i, sizeof(eight));
      if ((eight & 0x8080808080808080) == 0) {
        i += sizeof(eight);
        continue;
      }
    }
    if (static_cast<unsigned char>(text[i]) >= first_other) break;
    i += sequence_length(text[i]);
  }
  return i;
}

}  // namespace

std::string_view normalized(std::string_view text, NormalForm form, std::string& buffer) {
  size_t plain = plain_prefix(text, form);
  if (plain == text.size()) return text;
  buffer.clear();
  buffer.reserve(text.size() + text.size() / 8);
  Normalizer normalizer(form, buffer);
  const char *p = text.data(), *const end = p + text.size();
  while (p < end) {
    // The last plain character may take in what follows it.
    if (plain > 1) {
      const char* last = p + plain - 1;
      while ((*last & 0xC0) == 0x80) --last;
      if (last > p) {
        normalizer.flush();
        buffer.append(p, last);
        p = last;
      }
    }
    do normalizer.add(next_code_point(p));
    while (p < end && static_cast<unsigned char>(*p) >= 0x80);
    plain = plain_prefix({p, end}, form);
  }
  normalizer.flush();
  return buffer;
}

}  // namespace baleen
