// Errors as OpenAI's clients expect them: {"error": {"message", "type", "param", "code"}}.
#pragma once

#include <string>
#include <string_view>

#include "server/http/message.h"

namespace baleen::openai {

struct ApiError {
  int status = 400;
  std::string message;
  std::string param = {};  ///< the request's field; empty: null
  std::string code = {};   ///< empty: null
};

ApiError missing(std::string_view field);
ApiError invalid(std::string_view field, std::string_view what);
/// A value that is right by the protocol and that we do not honour yet.
ApiError unsupported(std::string_view field, std::string_view what);

/// The error object alone, as it also ends a stream that has begun.
std::string to_json(const ApiError& error);
/// With Retry-After for what may succeed later.
HttpResponse to_response(const ApiError& error);

}  // namespace baleen::openai
