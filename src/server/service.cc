#include "server/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/openai/api_error.h"
#include "server/web/pages.h"

namespace baleen {
namespace {

// A step of a large model on a small machine takes seconds; a loop that is stuck takes forever.
constexpr double kStuckSeconds = 60;

constexpr std::string_view kChat = "/v1/chat/completions", kCompletions = "/v1/completions",
                           kModels = "/v1/models", kModelPrefix = "/v1/models/", kHealth = "/healthz";

/// The method that a path takes beside OPTIONS (GET includes HEAD); empty where nothing is.
std::string_view method_of(std::string_view path) {
  if (path == kChat || path == kCompletions) return "POST";
  if (path == kModels || path.starts_with(kModelPrefix) || path == kHealth || find_page(path) != nullptr)
    return "GET";
  return {};
}

/// A page of some other site makes its reader's browser ask (it cannot read the answer, but it would use the machine).
/// Programs do not send the field; browsers cannot be talked out of it (W3C, Fetch Metadata Request Headers).
bool is_from_another_site(const HttpRequest& request) {
  return request.field("sec-fetch-site") == "cross-site";
}

void respond_page(Exchange& exchange, const Page& page) {
  HttpResponse response{.content_type = std::string(page.content_type),
                        .fields = {{"etag", std::string(page.etag)},
                                   {"cache-control", "no-cache"},
                                   {"content-security-policy", std::string(kPagePolicy)}}};
  if (exchange.request().field("if-none-match") == page.etag)
    response.status = 304;
  else
    response.body = page.body;
  exchange.respond(std::move(response));
}

}  // namespace

void Service::answer(std::shared_ptr<Exchange> exchange) {
  const HttpRequest& request = exchange->request();
  const std::string_view path = request.path, allowed = method_of(path);
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  if (allowed.empty() && path != "*")
    return exchange->respond(openai::to_response(
        {.status = 404, .message = "There is nothing at this URL.", .code = "unknown_url"}));
  const std::string allow = allowed == "POST" ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
  if (method == "OPTIONS") return exchange->respond({.status = 204, .fields = {{"allow", allow}}});
  if (method != allowed) {
    HttpResponse response = openai::to_response(
        {.status = 405, .message = "This URL does not take that method.", .code = "method_not_allowed"});
    response.fields.push_back({"allow", allow});
    return exchange->respond(std::move(response));
  }
  if (method == "POST" && is_from_another_site(request))
    return exchange->respond(openai::to_response(
        {.status = 403, .message = "Pages of other sites may not ask here.", .code = "cross_site_request"}));
  if (path == kChat) return openai_.chat_completions(exchange);
  if (path == kCompletions) return openai_.completions(exchange);
  if (path == kModels) return openai_.list_models(*exchange);
  if (path.starts_with(kModelPrefix)) return openai_.show_model(*exchange, path.substr(kModelPrefix.size()));
  if (path == kHealth) return answer_health(*exchange);
  respond_page(*exchange, *find_page(path));
}

HttpResponse Service::refuse(int status, std::string_view reason) {
  std::string message(reason);
  message.front() = static_cast<char>(
      message.front() >= 'a' && message.front() <= 'z' ? message.front() - 'a' + 'A' : message.front());
  return openai::to_response({.status = status, .message = message + "."});
}

void Service::answer_health(Exchange& exchange) const {
  const bool lives = std::ranges::all_of(models_.all(), [](const ServedModel& model) {
    return model.engine->seconds_since_tick() < kStuckSeconds;
  });
  exchange.respond({.status = lives ? 200 : 503,
                    .content_type = "application/json",
                    .body = lives ? R"({"status":"ok"})" : R"({"status":"stuck"})"});
}

}  // namespace baleen
