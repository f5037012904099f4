// The strict check of a request's head, before any other parser sees it: what two HTTP implementations could
// read differently is refused (RFC 9112; contract.md, HTTP).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/limits.h"
#include "server/http/message.h"

namespace baleen {

struct RequestHead {
  std::string method, target;
  std::vector<HttpField> fields;
  uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool old_version = false;  ///< HTTP/1.0: no chunks in the answer, the connection is closed after it
};

struct HttpRefusal {
  int status;
  std::string_view reason;  ///< names no byte of the request
};

/// `bytes`: request line to the empty line, both included.
std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view bytes, const HttpLimits& limits);

/// What can be refused of a head that is not complete yet: a line that ends in LF alone, a first line that is
/// none. The first `checked` bytes have passed before.
std::expected<void, HttpRefusal> check_partial_head(std::string_view bytes, size_t checked,
                                                    const HttpLimits& limits);

/// Path and query of a request target in origin or absolute form.
struct Target {
  std::string path, query;
};
std::expected<Target, HttpRefusal> parse_target(std::string_view target);

}  // namespace baleen
