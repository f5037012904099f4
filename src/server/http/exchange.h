// The seam between transport and protocols: a request that waits for its answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.h"

namespace baleen {

/// One request and the way to answer it. All calls but post() belong to the transport's thread, which must
/// never be blocked. Either respond() once, or start_stream(), send() any number of times, end_stream(). Once
/// the client has gone all of these do nothing.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual HttpRequest& request() = 0;
  virtual void respond(HttpResponse response) = 0;
  /// The head alone; `response.body` must be empty.
  virtual void start_stream(HttpResponse response) = 0;
  /// One event, in one write of its own.
  virtual void send(std::string_view event) = 0;
  virtual void end_stream() = 0;
  /// Called at most once, when the client goes before the answer is complete.
  virtual void on_closed(std::function<void()> closed) = 0;
  virtual bool closed() const = 0;  ///< any thread
  /// Runs `work` on the transport's thread; any thread.
  virtual void post(std::function<void()> work) = 0;
};

/// Answers requests. An exchange that is dropped without an answer is answered 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void answer(std::shared_ptr<Exchange> exchange) = 0;
  /// The body of an error that the transport itself has found (limits, bad framing).
  virtual HttpResponse refuse(int status, std::string_view reason) = 0;
};

}  // namespace baleen
