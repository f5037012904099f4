// Text completions: from the events of one generation per prompt to OpenAI's objects.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/openai/chat_answer.h"

namespace baleen::openai {

struct CompletionAnswerOptions {
  AnswerOptions common;
  /// One per prompt: the text that goes before the completion; empty without echo.
  std::vector<std::string> echoes;
};

/// One text_completion object; choice i of prompt p has the index p * n + i.
std::unique_ptr<Answer> whole_completion_answer(CompletionAnswerOptions options);
/// A stream of text_completion objects.
std::unique_ptr<Answer> streamed_completion_answer(CompletionAnswerOptions options);

}  // namespace baleen::openai
