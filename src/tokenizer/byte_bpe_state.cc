// GGUF's byte-level BPE vocabularies (tokenizer.ggml.model = gpt2).
#include <array>
#include <string>
#include <utility>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_bpe.h"
#include "tokenizer/state.h"

namespace baleen {
namespace {

/// Converters fill up the ids between the vocabulary and the embedding's rows with "[PAD151646]" and the
/// like, typed as user-defined. They are no text.
bool is_filler(std::string_view text, size_t id) { return text == "[PAD" + std::to_string(id) + "]"; }

/// A byte that every byte-level vocabulary must have (contract.md).
bool is_required(unsigned byte) { return (byte >= 0x20 && byte <= 0x7E) || byte == '\n' || byte == '\t'; }

std::string hex(unsigned byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

class Builder {
 public:
  explicit Builder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  Result<std::unique_ptr<TokenizerState>> build() {
    const std::string_view pre = vocabulary_.pre.empty() ? "default" : std::string_view(vocabulary_.pre);
    const PreTokenizerFamily* family = find_pre_tokenizer(pre);
    if (family == nullptr)
      return bad_input("tokenizer.ggml.pre: unknown pre-tokenizer '" + vocabulary_.pre + "'");
    add_tokens();
    auto bytes = byte_ids();
    if (!bytes) return error_of(bytes);
    auto merges = read_merges();
    if (!merges) return error_of(merges);
    for (const Splitter splitter : family->splitters) state_->stages.push_back(split_with(splitter));
    if (family->normalizes_to_nfc) state_->normalizer.add(normalize_to(NormalForm::nfc));
    state_->model =
        std::make_unique<ByteBpe>(state_->tokens, *bytes, std::move(*merges),
                                  family->takes_whole_pieces ? WholePieces::taken : WholePieces::merged);
    return std::move(state_);
  }

 private:
  void add_tokens() {
    std::vector<uint8_t> normal, all(vocabulary_.tokens.size(), 1);
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string& text = vocabulary_.tokens[id];
      const TokenType type = vocabulary_.types[id];
      names_.append(text);
      state_->tokens.append(bytes_of(text).value_or(text));
      normal.push_back(type == TokenType::normal);
      const bool control = type == TokenType::control || type == TokenType::unknown;
      state_->control.push_back(control);
      if (!control && (type != TokenType::user_defined || is_filler(text, id))) continue;
      state_->added.add(text, static_cast<int32_t>(id));
      state_->added_texts.push_back(text);
    }
    state_->tokens.index(normal);
    names_.index(all);
  }

  Result<std::array<int32_t, 256>> byte_ids() const {
    std::array<int32_t, 256> ids;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      ids[byte] = state_->tokens.find({&text, 1});
      if (ids[byte] < 0 && is_required(byte))
        return bad_input("tokenizer.ggml.tokens: no token for the byte " + hex(byte));
    }
    return ids;
  }

  Result<Merges> read_merges() const {
    Merges merges(vocabulary_.merges.size());
    for (size_t rank = 0; rank < vocabulary_.merges.size(); ++rank) {
      const std::string_view merge = vocabulary_.merges[rank];
      const size_t space = merge.find(' ', 1);
      if (space == merge.npos || space + 1 == merge.size()) return bad_merge(rank, "is not two tokens");
      const std::string whole = std::string(merge.substr(0, space)) + std::string(merge.substr(space + 1));
      const int32_t left = names_.find(merge.substr(0, space)), right = names_.find(merge.substr(space + 1)),
                    id = names_.find(whole);
      if (left < 0 || right < 0 || id < 0) return bad_merge(rank, "names a token that the vocabulary lacks");
      // Text never becomes a control or added token, whatever the merges say.
      if (vocabulary_.types[static_cast<size_t>(id)] == TokenType::normal)
        merges.add(left, right, {static_cast<int32_t>(rank), id});
    }
    return merges;
  }

  static std::unexpected<Error> bad_merge(size_t rank, std::string_view what) {
    return bad_input("tokenizer.ggml.merges[" + std::to_string(rank) + "] " + std::string(what));
  }

  const Vocabulary& vocabulary_;
  TokenTable names_;  // the texts as the file writes them
  std::unique_ptr<TokenizerState> state_ = std::make_unique<TokenizerState>();
};

}  // namespace

Result<std::unique_ptr<TokenizerState>> byte_bpe_state(const Vocabulary& vocabulary) {
  return Builder(vocabulary).build();
}

}  // namespace baleen
