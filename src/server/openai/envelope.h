// What all objects of one answer share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "engine/generation_request.h"

namespace baleen::openai {

struct Envelope {
  std::string id;
  int64_t created = 0;  ///< seconds since 1970
  std::string model, system_fingerprint;
};

Envelope make_envelope(std::string_view id_prefix, std::string_view model, std::string system_fingerprint);

/// Opens the object and writes id, object, created, model and system_fingerprint.
void begin_object(const Envelope& envelope, std::string_view object, json::Writer& writer);

/// The member "usage". `reasoning_tokens`: of the completion's.
void write_usage(const Usage& usage, int64_t reasoning_tokens, json::Writer& writer);

std::string_view name(FinishReason reason);
/// Null for a choice that goes on.
void write_finish_reason(std::optional<std::string_view> reason, json::Writer& writer);

/// "data: …" and the empty line.
std::string event_of(std::string_view json);
inline constexpr std::string_view kLastEvent = "data: [DONE]\n\n";

}  // namespace baleen::openai
