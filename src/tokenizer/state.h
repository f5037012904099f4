// What a Tokenizer is made of, whatever file it came from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "formats/vocabulary.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/piece_encoder.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/token_table.h"

namespace baleen {

/// What is dropped at the start of a sequence's text, where encoding put a space in front.
struct StartSpaces {
  enum class Drop { none, first, all_of_first_token } drop = Drop::none;
  size_t count = 0;  ///< for `first`: so many at most
};

struct TokenizerState {
  TokenTable tokens;                     ///< what each id stands for
  std::vector<uint8_t> control;          ///< 1: a control token, hidden by Detokenizer::Special::skip
  AddedTokens added;                     ///< recognised in a template's text only, before normalisation
  AddedTokens added_normalized;          ///< likewise, after it
  std::vector<std::string> added_texts;  ///< of both
  Normalizer normalizer;
  std::vector<std::unique_ptr<PreTokenizerStage>> stages;  ///< one inside the pieces of the other
  std::unique_ptr<PieceEncoder> model;
  StartSpaces start_spaces;
  int32_t bos = -1, eos = -1;
  std::vector<int32_t> prefix, suffix;
  std::vector<int32_t> end_of_generation;
};

/// From a byte-level BPE vocabulary as GGUF holds it.
Result<std::unique_ptr<TokenizerState>> byte_bpe_state(const Vocabulary& vocabulary);
/// From a SentencePiece vocabulary as GGUF holds it.
Result<std::unique_ptr<TokenizerState>> sentencepiece_state(const Vocabulary& vocabulary);
/// From tokenizer.json and tokenizer_config.json.
Result<std::unique_ptr<TokenizerState>> json_state(const Vocabulary& vocabulary);

}  // namespace baleen
