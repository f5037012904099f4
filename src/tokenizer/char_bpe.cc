#include "tokenizer/char_bpe.h"

#include <string>

#include "base/check.h"
#include "tokenizer/utf8_text.h"

namespace baleen {

void CharBpe::add_token(std::string_view text, int32_t id) {
  if (text.empty()) return;
  const char *p = text.data(), *const end = p + text.size();
  char32_t left = next_code_point(p);
  if (p == end) symbols_.set(left, id);
  while (p < end) {
    const char32_t right = next_code_point(p);
    cuts_.add(left, right);
    left = right;
  }
}

void CharBpe::add_symbol(char32_t character, int32_t symbol) {
  if (characters_.empty()) first_symbol_ = symbol;
  CHECK(symbol == first_symbol_ + static_cast<int32_t>(characters_.size()));
  characters_.push_back(character);
  symbols_.set(character, symbol);
}

void CharBpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  const int32_t id = whole_ ? whole_->find(piece) : -1;
  if (id < 0) return encode_part(piece, ids);
  ids.push_back(id);
}

void CharBpe::encode_part(std::string_view piece, std::vector<int32_t>& ids) const {
  const size_t from = ids.size();
  const char *p = piece.data(), *const end = p + piece.size();
  while (p < end) {
    const char* const begin = p;
    if (const int32_t* symbol = symbols_.find(next_code_point(p)))
      ids.push_back(*symbol);
    else
      append_unknown({begin, p}, ids, from);
  }
  merges_.apply(ids, from);
  if (!characters_.empty()) spell_out(ids, from);
}

void CharBpe::append_unknown(std::string_view character, std::vector<int32_t>& ids, size_t from) const {
  if (unknown_.byte_ids) {
    for (const char byte : character) ids.push_back((*unknown_.byte_ids)[static_cast<unsigned char>(byte)]);
    return;
  }
  const bool follows =
      unknown_.runs == UnknownCharacters::Runs::fused && ids.size() > from && ids.back() == unknown_.unk;
  if (unknown_.unk >= 0 && !follows) ids.push_back(unknown_.unk);
}

/// Replaces symbols that merged into nothing.
void CharBpe::spell_out(std::vector<int32_t>& ids, size_t from) const {
  size_t first = from;
  while (first < ids.size() && ids[first] < first_symbol_) ++first;
  if (first == ids.size()) return;
  const std::vector<int32_t> tail(ids.begin() + static_cast<ptrdiff_t>(first), ids.end());
  ids.resize(first);
  for (const int32_t id : tail) {
    if (id < first_symbol_) {
      ids.push_back(id);
      continue;
    }
    std::string character;
    append_utf8(characters_[static_cast<size_t>(id - first_symbol_)], character);
    append_unknown(character, ids, from);
  }
}

size_t CharBpe::separable(std::string_view piece) const {
  const char *p = piece.data(), *const end = p + piece.size();
  const bool fuses = unknown_.runs == UnknownCharacters::Runs::fused && !unknown_.byte_ids;
  char32_t left = next_code_point(p);
  while (p < end) {
    const char* const at = p;
    const char32_t right = next_code_point(p);
    // Unknown characters that become one token belong together.
    const bool run = fuses && symbols_.find(left) == nullptr && symbols_.find(right) == nullptr;
    if (cuts_.safe(left, right) && !run) return static_cast<size_t>(at - piece.data());
    left = right;
  }
  return piece.size();
}

}  // namespace baleen
