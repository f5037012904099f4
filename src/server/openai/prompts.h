// From what a client wrote to the tokens that the model sees.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/openai/api_error.h"
#include "server/openai/chat_request.h"
#include "server/openai/completion_request.h"
#include "server/served_models.h"

namespace baleen::openai {

struct ChatPrompt {
  std::vector<int32_t> ids;
  AnswerParser answer;  ///< for what the model says to it
};

/// Renders the conversation. The template writes every control token, the caller's text makes none.
Field<ChatPrompt> chat_prompt(const ServedModel& model, const ChatRequest& request);

/// A raw prompt, as `run --raw` reads it: control tokens in it are recognised, and what the vocabulary puts before a
/// text (BOS) goes before it unless the text has it already.
Field<std::vector<int32_t>> completion_prompt(const ServedModel& model,
                                              const CompletionRequest::Prompt& prompt);

/// The text that `echo` puts before the completion.
std::string echoed_text(const ServedModel& model, const CompletionRequest::Prompt& prompt);

}  // namespace baleen::openai
