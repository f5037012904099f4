#include "server/openai/api_error.h"

#include <fmt/format.h>

#include "base/json.h"

namespace baleen::openai {
namespace {

// A guess until the queue's drain rate is measured; clients retry twice with growing pauses of their own.
constexpr int kRetrySeconds = 2;

std::string_view type_of(int status) {
  if (status == 429) return "rate_limit_error";
  if (status == 401) return "authentication_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

void nullable(json::Writer& writer, std::string_view key, std::string_view text) {
  writer.key(key);
  text.empty() ? writer.null() : writer.value(text);
}

}  // namespace

ApiError missing(std::string_view field) {
  return {.message = fmt::format("Missing required parameter: '{}'.", field),
          .param = std::string(field),
          .code = "missing_required_parameter"};
}

ApiError invalid(std::string_view field, std::string_view what) {
  return {.message = fmt::format("Invalid '{}': {}.", field, what),
          .param = std::string(field),
          .code = "invalid_value"};
}

ApiError unsupported(std::string_view field, std::string_view what) {
  return {.message = fmt::format("Unsupported '{}': {}.", field, what),
          .param = std::string(field),
          .code = "unsupported_value"};
}

std::string to_json(const ApiError& error) {
  json::Writer writer;
  writer.begin_object().key("error").begin_object();
  writer.member("message", error.message).member("type", type_of(error.status));
  nullable(writer, "param", error.param);
  nullable(writer, "code", error.code);
  writer.end_object().end_object();
  return writer.take();
}

HttpResponse to_response(const ApiError& error) {
  HttpResponse response{.status = error.status, .content_type = "application/json", .body = to_json(error)};
  if (error.status == 429 || error.status == 503)
    response.fields = {{"retry-after", std::to_string(kRetrySeconds)},
                       {"retry-after-ms", std::to_string(1000 * kRetrySeconds)}};
  return response;
}

}  // namespace baleen::openai
