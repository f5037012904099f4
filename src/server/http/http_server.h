// Listens and serves HTTP/1.1 on one thread of its own (docs/LIMITS.md says what it takes and refuses).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "server/http/exchange.h"
#include "server/http/limits.h"

namespace baleen {

class HttpServer {
 public:
  /// Takes the address, so that a port in use is known before anything is loaded. Port 0: any free one.
  static Result<std::unique_ptr<HttpServer>> bind(const std::string& host, uint16_t port,
                                                  const HttpLimits& limits);
  ~HttpServer();

  uint16_t port() const;
  /// Listens and starts the thread. `responder` must outlive the server.
  Result<void> start(Responder& responder);
  /// No new connections; idle ones are closed, the others after their answer.
  void stop_accepting();
  /// Waits until every answer is out, at most so long; then closes what is left and ends the thread.
  void finish(HttpLimits::Duration at_most);

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baleen
