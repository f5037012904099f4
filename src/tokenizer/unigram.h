// Unigram language models: of all ways to cut a piece into tokens the one with the highest sum of scores.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/char_bpe.h"
#include "tokenizer/piece_encoder.h"
#include "tokenizer/trie.h"

namespace baleen {

class Unigram final : public PieceEncoder {
 public:
  /// A character that no token is scores `unknown_score`.
  Unigram(const UnknownCharacters& unknown, double unknown_score)
      : unknown_(unknown), unknown_score_(unknown_score) {}
  void add_token(std::string_view text, int32_t id, double score);

  /// Viterbi's algorithm; linear in the piece times the longest token.
  std::string_view kind() const override { return "unigram"; }
  void encode(std::string_view piece, std::vector<int32_t>& ids) const override;

 private:
  struct Token {
    int32_t id;
    double score;
  };
  void append_unknown(std::string_view text, std::vector<int32_t>& ids) const;

  Trie trie_;  // of indexes into tokens_
  std::vector<Token> tokens_;
  UnknownCharacters unknown_;
  double unknown_score_;
};

}  // namespace baleen
