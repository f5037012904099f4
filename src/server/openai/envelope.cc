#include "server/openai/envelope.h"

#include <fmt/format.h>

#include <ctime>

#include "server/http/response_head.h"

namespace baleen::openai {

Envelope make_envelope(std::string_view id_prefix, std::string_view model, std::string system_fingerprint) {
  return {.id = fmt::format("{}-{}", id_prefix, random_digits()),
          .created = std::time(nullptr),
          .model = std::string(model),
          .system_fingerprint = std::move(system_fingerprint)};
}

void begin_object(const Envelope& envelope, std::string_view object, json::Writer& writer) {
  writer.begin_object()
      .member("id", envelope.id)
      .member("object", object)
      .member("created", envelope.created);
  writer.member("model", envelope.model).member("system_fingerprint", envelope.system_fingerprint);
}

void write_usage(const Usage& usage, int64_t reasoning_tokens, json::Writer& writer) {
  writer.key("usage").begin_object();
  writer.member("prompt_tokens", usage.prompt_tokens).member("completion_tokens", usage.completion_tokens);
  writer.member("total_tokens", int64_t{usage.prompt_tokens} + usage.completion_tokens);
  writer.key("prompt_tokens_details")
      .begin_object()
      .member("cached_tokens", usage.cached_tokens)
      .end_object();
  writer.key("completion_tokens_details")
      .begin_object()
      .member("reasoning_tokens", reasoning_tokens)
      .end_object();
  writer.end_object();
}

std::string_view name(FinishReason reason) { return reason == FinishReason::length ? "length" : "stop"; }

void write_finish_reason(std::optional<std::string_view> reason, json::Writer& writer) {
  writer.key("finish_reason");
  if (!reason)
    writer.null();
  else
    writer.value(*reason);
}

std::string event_of(std::string_view json) { return fmt::format("data: {}\n\n", json); }

}  // namespace baleen::openai
