// How a text is cut into pieces that no token crosses: tokenizer.json's "pre_tokenizer".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/expression.h"
#include "tokenizer/splitters.h"

namespace baleen {

/// A text and its pieces so far.
struct PieceList {
  std::string_view text;      ///< valid UTF-8
  std::vector<Piece> pieces;  ///< in order; not empty ones
  bool starts_sequence;       ///< no added token stands before the text
  std::string storage;        ///< holds the text once a stage has changed it
};

class PreTokenizerStage {
 public:
  virtual ~PreTokenizerStage() = default;
  /// Works inside each piece. Linear in the text.
  virtual void apply(PieceList& list) const = 0;
};

/// A published expression's splitter.
std::unique_ptr<PreTokenizerStage> split_with(Splitter splitter);

/// What becomes of the matches when pieces are cut (tokenizer.json's SplitDelimiterBehavior).
enum class Delimiters { isolated, removed, contiguous, merged_with_previous, merged_with_next };
/// Which parts of a text count as matches: those of the expression, or those between them.
enum class Matches { found, between };

/// Appends the matches inside a piece of the text that it was made for, from left to right, not overlapping.
using FindAll = std::function<void(Piece piece, std::vector<Piece>& matches)>;
/// Makes one for a text.
using Search = std::function<FindAll(std::string_view text)>;
/// Every occurrence of a text that is not empty.
Search search_text(std::string text);
/// Every character that the predicate takes.
Search search_characters(std::function<bool(char32_t)> predicate);
Search search_expression(Expression expression);

/// Cuts pieces at the matches of a search.
struct Split {
  Search search;
  Delimiters delimiters = Delimiters::isolated;
  Matches matches = Matches::found;
};
std::unique_ptr<PreTokenizerStage> split_at(Split split);

/// Which pieces Metaspace puts its mark in front of.
enum class MarkPlace { always, first, never };
/// Spaces become `mark`, which pieces also get in front where they have none; `splits`: pieces are cut before marks.
struct Metaspace {
  std::string mark;
  MarkPlace place;
  bool splits;
};
std::unique_ptr<PreTokenizerStage> metaspace(Metaspace settings);

/// ByteLevel with something after it that looks at its characters: bytes become characters of GPT-2's alphabet.
std::unique_ptr<PreTokenizerStage> write_byte_alphabet();
/// Puts a space in front of pieces that do not start with one (ByteLevel's add_prefix_space).
std::unique_ptr<PreTokenizerStage> prefix_space();

}  // namespace baleen
