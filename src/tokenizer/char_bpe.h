// Byte-pair encoding over characters: SentencePiece's BPE and tokenizer.json's without a byte alphabet.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/flat_map.h"
#include "tokenizer/merges.h"
#include "tokenizer/piece_encoder.h"
#include "tokenizer/safe_cuts.h"
#include "tokenizer/token_table.h"

namespace baleen {

/// What stands for a character that no token begins with.
struct UnknownCharacters {
  enum class Runs { one_each, fused };
  std::optional<std::array<int32_t, 256>> byte_ids;  ///< a token for each of its bytes, where there are such
  int32_t unk = -1;                                  ///< else this one; -1: nothing
  Runs runs = Runs::one_each;                        ///< whether unknown characters in a row give one unk
};

class CharBpe final : public PieceEncoder {
 public:
  CharBpe(Merges merges, const UnknownCharacters& unknown) : merges_(std::move(merges)), unknown_(unknown) {}

  /// Makes a token known: what its characters are beside each other is not cut. `text` is valid UTF-8.
  void add_token(std::string_view text, int32_t id);
  /// A character that is no token but part of some; `symbol` is its id in the merges, above all tokens' ids.
  void add_symbol(char32_t character, int32_t symbol);

  /// From now on a piece that is one of these is not merged (ignore_merges).
  void take_whole_pieces(TokenTable texts) { whole_ = std::move(texts); }

  std::string_view kind() const override { return "sentencepiece"; }
  void encode(std::string_view piece, std::vector<int32_t>& ids) const override;
  size_t separable(std::string_view piece) const override;
  void encode_part(std::string_view part, std::vector<int32_t>& ids) const override;

 private:
  void append_unknown(std::string_view character, std::vector<int32_t>& ids, size_t from) const;
  void spell_out(std::vector<int32_t>& ids, size_t from) const;

  FlatMap<int32_t> symbols_;  // by character
  Merges merges_;
  UnknownCharacters unknown_;
  std::optional<TokenTable> whole_;
  SafeCuts cuts_;                     // pairs of characters
  int32_t first_symbol_ = INT32_MAX;  // symbols that are no tokens start here …
  std::vector<char32_t> characters_;  // … and are these
};

}  // namespace baleen
