// Carries the events of a request's generations from the engine to the answer, and the client's going away back.
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "server/http/exchange.h"

namespace baleen {

/// What a protocol makes of a request's events; called on the transport's thread.
class Answer {
 public:
  virtual ~Answer() = default;
  /// The request is accepted; the first thing called.
  virtual void start(Exchange& exchange) = 0;
  /// text, finished or prompt_scored. `prompt`: index among the request's prompts.
  virtual void event(Exchange& exchange, size_t prompt, const GenerationEvent& event) = 0;
  /// Every prompt is done; their usage has been added up.
  virtual void done(Exchange& exchange, const Usage& usage) = 0;
  virtual void failed(Exchange& exchange, const std::string& message) = 0;
};

/// Any thread. Ends by itself when all streams have ended or the client has gone, which cancels them.
void deliver(std::shared_ptr<Exchange> exchange, std::vector<std::shared_ptr<EventStream>> streams,
             std::unique_ptr<Answer> answer);

}  // namespace baleen
