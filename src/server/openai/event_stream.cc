#include "server/openai/event_stream.h"

#include "server/openai/api_error.h"
#include "server/openai/envelope.h"

namespace baleen::openai {
namespace {

ApiError server_error(const std::string& message) {
  return {.status = 500, .message = message, .code = "server_error"};
}

}  // namespace

void StreamedAnswer::start(Exchange& exchange) {
  exchange.start_stream({.content_type = "text/event-stream", .fields = {{"cache-control", "no-store"}}});
}

void StreamedAnswer::failed(Exchange& exchange, const std::string& message) {
  exchange.send(event_of(to_json(server_error(message))));
  exchange.end_stream();
}

void WholeAnswer::failed(Exchange& exchange, const std::string& message) {
  exchange.respond(to_response(server_error(message)));
}

}  // namespace baleen::openai
