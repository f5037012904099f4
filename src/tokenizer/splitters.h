// The pre-tokenizers of the known families: each cuts a text into pieces that no token crosses. Written by
// hand for the published regular expressions, linear in the text.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace baleen {

/// A piece of a text: bytes [begin, end).
struct Piece {
  uint32_t begin, end;
};

/// Cuts one piece of `text` further and appends the parts in order. What the expression matches and what it
/// leaves between matches both become parts. Look-ahead sees the end of the piece. `text` is valid UTF-8.
using Splitter = void (*)(std::string_view text, Piece piece, std::vector<Piece>& parts);

/// What a name in GGUF's tokenizer.ggml.pre stands for; tokenizer.json spells it out.
struct PreTokenizerFamily {
  std::string_view name;
  std::span<const Splitter> splitters;  ///< to be run one inside the parts of the other
  bool normalizes_to_nfc = false;
  bool takes_whole_pieces = false;  ///< ignore_merges: a piece that is a token is not merged
};
/// Null for a name that is not known.
const PreTokenizerFamily* find_pre_tokenizer(std::string_view name);

/// The name of a family that cuts and merges so; empty where none does.
std::string_view name_of_pre_tokenizer(const PreTokenizerFamily& like);

/// The splitter of a published expression, as tokenizer.json's Split writes it; null for any other.
Splitter splitter_of_expression(std::string_view expression);

/// GPT-2's expression, which tokenizer.json's ByteLevel pre-tokenizer implies.
extern const Splitter kSplitGpt2;

}  // namespace baleen
