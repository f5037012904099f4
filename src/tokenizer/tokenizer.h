// Text to token ids and back: the one door of tokenizer/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/vocabulary.h"

namespace baleen {

struct TokenizerState;

class Tokenizer {
 public:
  /// bad_input for an unknown pre-tokenizer, a merge of unknown tokens, missing bytes (contract.md).
  static Result<Tokenizer> make(const Vocabulary& vocabulary);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// What a user wrote: no control or added token is recognised. Invalid UTF-8 counts as U+FFFD per maximal
  /// subpart. Linear in the text's length, whatever the text.
  void encode_text(std::string_view text, std::vector<int32_t>& ids) const;
  /// What a template wrote: control and added tokens in the text are recognised.
  void encode_special(std::string_view text, std::vector<int32_t>& ids) const;
  /// A rendered prompt in spans: `special` ones are the template's, the others control tokens that a caller wrote.
  /// Spans do not meet: each is encoded by itself, as transformers' sanitize_control_tokens does (golden `ids_safe`).
  struct Span {
    std::string_view text;
    bool special;
  };
  std::vector<int32_t> encode(const std::vector<Span>& spans) const;

  /// The bytes that a token stands for; empty for an id without one. Control tokens: their name.
  std::string_view bytes(int32_t id) const;
  bool is_control(int32_t id) const;
  /// The whole text; special tokens kept. The ids are the start of a sequence (SentencePiece drops the first
  /// space).
  std::string decode(const std::vector<int32_t>& ids) const;

  /// Of the model, whatever file it came from: "byte_bpe", "sentencepiece" (BPE over characters) or "unigram".
  std::string_view kind() const;
  /// The texts that only encode_special recognises.
  const std::vector<std::string>& added_texts() const;
  int32_t size() const;
  int32_t bos() const;  ///< -1: none
  int32_t eos() const;  ///< -1: none
  /// What the vocabulary puts around a text of its own accord (BOS, EOS). Never around a rendered prompt: templates
  /// write theirs.
  const std::vector<int32_t>& prefix() const;
  const std::vector<int32_t>& suffix() const;
  const std::vector<int32_t>& end_of_generation() const;

 private:
  friend class Detokenizer;
  explicit Tokenizer(std::unique_ptr<TokenizerState> state);
  struct Segment;
  void encode_between(const Segment& segment, std::vector<int32_t>& ids) const;
  void encode_pieces(const Segment& segment, std::vector<int32_t>& ids) const;
  std::unique_ptr<TokenizerState> state_;
};

/// Turns a stream of ids into text that is valid UTF-8 at every point: incomplete sequences are held back,
/// broken ones become U+FFFD per maximal subpart.
class Detokenizer {
 public:
  enum class Special { keep, skip };
  /// Where the ids stand: at the start SentencePiece vocabularies drop the first piece's space, in what a
  /// model writes after a prompt they do not.
  enum class Place { start, continuation };
  Detokenizer(const Tokenizer& tokenizer, Special special, Place place = Place::continuation)
      : tokenizer_(&tokenizer), special_(special), at_start_(place == Place::start) {}
  std::string push(int32_t id);
  std::string flush();

 private:
  const Tokenizer* tokenizer_;
  Special special_;
  bool at_start_;       // nothing shown yet that a space could be dropped from
  size_t dropped_ = 0;  // spaces so far
  std::string pending_;
};

}  // namespace baleen
