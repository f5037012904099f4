// The conversation that `baleen run` has with a person or answers once.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/run/interrupt.h"
#include "engine/engine.h"
#include "prompt/answer_parser.h"

namespace baleen {

class Chat {
 public:
  /// `prototype`: everything of a request but the prompt. The model must have a chat template.
  Chat(Engine& engine, Interrupt& interrupt, GenerationRequest prototype, std::string system);

  /// One turn: renders the conversation with `text` as the user's, writes the answer. Where the conversation outgrows
  /// the context its oldest turns are forgotten. After an error the turn has not happened.
  Result<FinishReason> ask(const std::string& text);
  /// Turns until /exit, Ctrl-D or a second Ctrl-C.
  Result<void> converse();

 private:
  struct Message {
    std::string role, content;
  };
  struct Prompt {
    std::vector<int32_t> ids;
    AnswerParser answer;
  };
  Result<Prompt> prompt() const;
  bool fits(size_t tokens) const;
  bool forget_oldest();
  bool obey(const std::string& command);
  void restart();

  Engine& engine_;
  Interrupt& interrupt_;
  const GenerationRequest prototype_;
  std::string system_;
  std::vector<Message> messages_;
};

}  // namespace baleen
