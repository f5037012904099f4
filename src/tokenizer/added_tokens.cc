#include "tokenizer/added_tokens.h"

#include "base/utf8.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

constexpr CategorySet kWord = kLetter | kMark | kNd | kNl | kPc;

/// Where the character that ends at `end` begins. A text with broken UTF-8 has characters of at most four bytes too.
size_t character_before(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && (text[begin] & 0xC0) == 0x80) --begin;
  return begin;
}

CategorySet category_of(std::string_view text) {
  const Utf8Sequence sequence = first_utf8_sequence(text);
  return sequence.valid ? category(sequence.scalar) : kCn;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && (category_of(text.substr(character_before(text, begin))) & kWord)) return false;
  return end == text.size() || (category_of(text.substr(end)) & kWord) == 0;
}

}  // namespace

void AddedTokens::add(std::string_view text, int32_t id, AddedTokenRules rules) {
  if (text.empty()) return;
  starts_[static_cast<unsigned char>(text[0])] = true;
  trie_.add(text, static_cast<int32_t>(tokens_.size()));
  tokens_.push_back({id, rules});
}

std::optional<AddedTokens::Match> AddedTokens::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    std::optional<Match> longest;  // of an index
    trie_.prefixes(text.substr(begin),
                   [&](size_t length, int32_t index) { longest = {begin, begin + length, index}; });
    if (!longest) continue;
    const Token& token = tokens_[static_cast<size_t>(longest->id)];
    Match match = {begin, longest->end, token.id};
    if (token.rules.single_word && !stands_alone(text, match.begin, match.end)) {
      begin = match.end - 1;
      continue;
    }
    while (token.rules.takes_left && match.begin > from) {
      const size_t before = character_before(text, match.begin);
      if ((category_of(text.substr(before)) & kSpace) == 0) break;
      match.begin = before;
    }
    while (token.rules.takes_right && match.end < text.size() &&
           (category_of(text.substr(match.end)) & kSpace))
      match.end += sequence_length(text[match.end]);
    return match;
  }
  return std::nullopt;
}

}  // namespace baleen
