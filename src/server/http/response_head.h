// Writes what precedes a response's body.
#pragma once

#include <string>
#include <string_view>

#include "server/http/message.h"

namespace baleen {

/// 32 hexadecimal digits that nobody can guess: for ids.
std::string random_digits();

/// "req_" and random digits.
std::string new_request_id();

/// Status line, fields and the empty line. `framing`: a complete field line or nothing.
std::string response_head(const HttpResponse& response, std::string_view request_id, std::string_view framing,
                          std::string_view connection);

/// One chunk of a chunked body (RFC 9112 section 7.1).
std::string chunk_of(std::string_view bytes);

}  // namespace baleen
