// Chat completions: from a generation's events to OpenAI's objects.
#pragma once

#include <memory>

#include "prompt/answer_parser.h"
#include "server/delivery.h"
#include "server/openai/envelope.h"

namespace baleen::openai {

struct AnswerOptions {
  Envelope envelope;
  const Tokenizer* tokenizer = nullptr;  ///< null for a model without a vocabulary
  int32_t choices = 1;
  bool logprobs = false;
  bool include_usage = false;  ///< in a stream: a last chunk with the usage
};

/// One chat.completion object. `parser`: fresh, for the answers to this prompt.
std::unique_ptr<Answer> whole_chat_answer(AnswerOptions options, const AnswerParser& parser);
/// A stream of chat.completion.chunk objects.
std::unique_ptr<Answer> streamed_chat_answer(AnswerOptions options, const AnswerParser& parser);

}  // namespace baleen::openai
