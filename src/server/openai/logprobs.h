// Log probabilities in the forms of chat and of text completions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "engine/generation_request.h"
#include "tokenizer/tokenizer.h"

namespace baleen::openai {

/// The bytes of a token; empty where there is no tokenizer.
std::string_view token_bytes(const Tokenizer* tokenizer, int32_t id);

/// {"content": [{token, logprob, bytes, top_logprobs}], "refusal": null}
void write_chat_logprobs(std::span<const TokenEvent> tokens, const Tokenizer* tokenizer,
                         json::Writer& writer);

/// Where tokens begin in the text that they make, in characters; one per choice.
class TextOffsets {
 public:
  TextOffsets(const Tokenizer* tokenizer, size_t start);
  /// The offset at which this token begins.
  size_t push(int32_t id);

 private:
  std::optional<Detokenizer> detokenizer_;
  size_t offset_;
};

/// Characters of a valid UTF-8 text.
size_t count_characters(std::string_view text);

/// A token of a text completion and where it begins.
struct PlacedToken {
  TokenEvent token;
  size_t offset = 0;
  bool scored = true;  ///< false for a prompt's first token, which nothing precedes
};

/// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
void write_completion_logprobs(std::span<const PlacedToken> tokens, const Tokenizer* tokenizer,
                               json::Writer& writer);

}  // namespace baleen::openai
