// GGUF's SentencePiece BPE vocabularies (tokenizer.ggml.model = llama): pieces with scores; neighbours whose
// concatenation is a piece merge, the highest score first (sentencepiece, src/bpe_model.cc).
#include <algorithm>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/char_bpe.h"
#include "tokenizer/state.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581 stands for a space
// Real vocabularies stay far below: Gemma's 256,000 pieces have 580,000 pairs.
constexpr size_t kMostPairs = 8'000'000;
constexpr size_t kMostWork = size_t{1} << 28;  // sum of the squares of the pieces' lengths

bool is_text(TokenType type) { return type == TokenType::normal || type == TokenType::user_defined; }

std::string with_spaces(std::string_view piece) {
  std::string text;
  for (size_t at; (at = piece.find(kSpace)) != piece.npos; piece.remove_prefix(at + kSpace.size()))
    text.append(piece.substr(0, at)).push_back(' ');
  return text.append(piece);
}

class Builder {
 public:
  explicit Builder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  Result<std::unique_ptr<TokenizerState>> build() {
    if (auto added = add_tokens(); !added) return error_of(added);
    rank_scores();
    add_symbols();
    if (auto paired = add_pairs(); !paired) return error_of(paired);
    auto model = std::make_unique<CharBpe>(std::move(merges_), unknown_);
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id)
      if (is_text(vocabulary_.types[id])) model->add_token(vocabulary_.tokens[id], static_cast<int32_t>(id));
    for (const auto& [character, symbol] : symbols_) model->add_symbol(character, symbol);
    state_->model = std::move(model);
    if (vocabulary_.add_space_prefix) state_->normalizer.add(prepend(kSpace));
    state_->normalizer.add(replace(" ", kSpace));
    if (vocabulary_.add_space_prefix) state_->start_spaces = {StartSpaces::Drop::first, 1};
    return std::move(state_);
  }

 private:
  Result<void> add_tokens() {
    std::array<int32_t, 256> byte_ids;
    byte_ids.fill(-1);
    std::vector<uint8_t> texts;
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string& piece = vocabulary_.tokens[id];
      const TokenType type = vocabulary_.types[id];
      pieces_.append(piece);
      texts.push_back(is_text(type));
      const bool control = type == TokenType::control || type == TokenType::unknown;
      state_->control.push_back(control);
      if (control || type == TokenType::user_defined) {
        state_->added.add(piece, static_cast<int32_t>(id));
        state_->added_texts.push_back(piece);
      }
      const auto byte = type == TokenType::byte ? byte_of_fallback(piece) : std::nullopt;
      if (type == TokenType::byte && !byte)
        return bad_input("tokenizer.ggml.tokens[" + std::to_string(id) +
                         "] is typed as a byte but is not <0xNN>");
      if (byte) {
        byte_ids[*byte] = static_cast<int32_t>(id);
        const char text = static_cast<char>(*byte);
        state_->tokens.append({&text, 1});
      } else {
        state_->tokens.append(with_spaces(piece));
      }
    }
    pieces_.index(texts);
    std::vector<uint8_t> none(texts.size(), 0);
    state_->tokens.index(none);
    if (std::ranges::find(byte_ids, -1) == byte_ids.end()) unknown_.byte_ids = byte_ids;
    unknown_.unk = vocabulary_.unk;
    unknown_.runs = UnknownCharacters::Runs::fused;
    return {};
  }

  /// Equal scores have equal ranks.
  void rank_scores() {
    std::vector<float> sorted = vocabulary_.scores;
    std::ranges::sort(sorted, std::greater<>());
    const auto unique = std::ranges::unique(sorted);
    sorted.erase(unique.begin(), unique.end());
    for (const float score : vocabulary_.scores)
      ranks_.push_back(
          static_cast<int32_t>(std::ranges::lower_bound(sorted, score, std::greater<>()) - sorted.begin()));
  }

  /// Characters that occur in pieces without being one merge too.
  void add_symbols() {
    auto next = static_cast<int32_t>(vocabulary_.tokens.size());
    FlatMap<uint8_t> seen;
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      if (!is_text(vocabulary_.types[id])) continue;
      for (std::string_view rest = vocabulary_.tokens[id]; !rest.empty();) {
        const Utf8Sequence sequence = first_utf8_sequence(rest);
        const std::string_view character = rest.substr(0, sequence.length);
        if (seen.find(sequence.scalar) == nullptr && pieces_.find(character) < 0) {
          symbols_.emplace_back(sequence.scalar, next);
          symbol_ids_.set(sequence.scalar, next++);
        }
        seen.set(sequence.scalar, 1);
        rest.remove_prefix(sequence.length);
      }
    }
  }

  int32_t symbol_of(std::string_view text) const {
    if (const int32_t id = pieces_.find(text); id >= 0) return id;
    if (symbols_.empty() || sequence_length(text[0]) != text.size()) return -1;
    const int32_t* found = symbol_ids_.find(first_utf8_sequence(text).scalar);
    return found == nullptr ? -1 : *found;
  }

  Result<void> add_pairs() {
    size_t work = 0;
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string_view piece = vocabulary_.tokens[id];
      if (!is_text(vocabulary_.types[id]) || piece.empty()) continue;
      work += piece.size() * piece.size();
      for (size_t cut = sequence_length(piece[0]); cut < piece.size(); cut += sequence_length(piece[cut])) {
        const int32_t left = symbol_of(piece.substr(0, cut));
        if (left < 0) continue;
        const int32_t right = symbol_of(piece.substr(cut));
        if (right >= 0) merges_.add(left, right, {ranks_[id], static_cast<int32_t>(id)});
      }
      if (work > kMostWork || merges_.size() > kMostPairs)
        return bad_input("tokenizer.ggml.tokens: pieces too long to be merged, up to number " +
                         std::to_string(id));
    }
    return {};
  }

  const Vocabulary& vocabulary_;
  TokenTable pieces_;
  std::vector<int32_t> ranks_;
  std::vector<std::pair<char32_t, int32_t>> symbols_;
  FlatMap<int32_t> symbol_ids_;  // the same by character
  Merges merges_{vocabulary_.tokens.size() * 2};
  UnknownCharacters unknown_;
  std::unique_ptr<TokenizerState> state_ = std::make_unique<TokenizerState>();
};

}  // namespace

Result<std::unique_ptr<TokenizerState>> sentencepiece_state(const Vocabulary& vocabulary) {
  return Builder(vocabulary).build();
}

}  // namespace baleen
