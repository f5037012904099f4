// What the streamed answers have in common.
#pragma once

#include "server/delivery.h"

namespace baleen::openai {

/// An answer made of server-sent events; an error ends it as an event.
class StreamedAnswer : public Answer {
 public:
  void start(Exchange& exchange) override;
  void failed(Exchange& exchange, const std::string& message) override;
};

/// An answer made of one object; an error takes its place.
class WholeAnswer : public Answer {
 public:
  void start(Exchange&) override {}
  void failed(Exchange& exchange, const std::string& message) override;
};

}  // namespace baleen::openai
