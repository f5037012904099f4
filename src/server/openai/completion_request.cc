#include "server/openai/completion_request.h"

#include <fmt/format.h>

#include <limits>

namespace baleen::openai {
namespace {

constexpr int64_t kMaxLogprobs = 20;    // contract.md, HTTP; OpenAI takes 5
constexpr int32_t kDefaultTokens = 16;  // OpenAI's reference
constexpr size_t kMaxPrompts = 256;     // each is a request to the engine, whose queue is bounded too

using Prompt = CompletionRequest::Prompt;

Field<Prompt> read_ids(const json::Value& value) {
  Prompt prompt;
  prompt.has_ids = true;
  prompt.ids.reserve(value.size());
  for (const auto& [key, element] : value) {
    const auto id = integer("prompt", element, 0, std::numeric_limits<int32_t>::max());
    if (!id) return std::unexpected(id.error());
    prompt.ids.push_back(static_cast<int32_t>(*id));
  }
  return prompt;
}

/// One prompt out of a list of prompts.
Field<Prompt> read_prompt(const json::Value& value) {
  if (value.kind() == json::Kind::array) return read_ids(value);
  const auto string = text("prompt", value);
  if (!string) return std::unexpected(string.error());
  Prompt prompt;
  prompt.text = *string;
  return prompt;
}

Checked read_prompts(const json::Value& value, std::vector<Prompt>& prompts) {
  const auto add = [&](Field<Prompt> prompt) -> Checked {
    if (!prompt) return std::unexpected(std::move(prompt.error()));
    prompts.push_back(std::move(*prompt));
    return {};
  };
  if (value.is_null()) return std::unexpected(missing("prompt"));
  if (value.kind() == json::Kind::string) return add(read_prompt(value));
  if (value.kind() != json::Kind::array)
    return std::unexpected(
        invalid("prompt", "must be a string, a list of strings, of token ids or of lists of token ids"));
  if (value.size() == 0) return std::unexpected(invalid("prompt", "must not be empty"));
  if ((*value.begin()).second.is_number()) return add(read_ids(value));
  if (auto ok = array("prompt", value, kMaxPrompts); !ok) return ok;
  for (const auto& [key, element] : value)
    if (auto ok = add(read_prompt(element)); !ok) return ok;
  return {};
}

/// Fields of this endpoint alone, in the order they are checked.
struct Members {
  json::Value prompt, max_tokens, echo, logprobs, suffix, best_of;
};

constexpr MemberName<Members> kMembers[] = {
    {"prompt", &Members::prompt},     {"max_tokens", &Members::max_tokens}, {"echo", &Members::echo},
    {"logprobs", &Members::logprobs}, {"suffix", &Members::suffix},         {"best_of", &Members::best_of},
};

Checked read_logprobs(const json::Value& value, GenerationRequest& generation) {
  if (value.is_null()) return {};
  generation.logprobs = true;
  return store(integer("logprobs", value, 0, kMaxLogprobs), generation.top_logprobs);
}

/// What only some servers do: text behind the gap, and choosing among more answers than are returned.
Checked read_unsupported(const Members& members, const GenerationRequest& generation) {
  if (!members.suffix.is_null()) {
    const auto suffix = text("suffix", members.suffix);
    if (!suffix) return std::unexpected(suffix.error());
    if (!suffix->empty()) return std::unexpected(unsupported("suffix", "text cannot be inserted"));
  }
  if (members.best_of.is_null()) return {};
  const auto best_of = integer("best_of", members.best_of, 0, 20);
  if (!best_of) return std::unexpected(best_of.error());
  if (*best_of > generation.choices)
    return std::unexpected(unsupported("best_of", "must not be larger than 'n'"));
  return {};
}

}  // namespace

Field<CompletionRequest> read_completion_request(const json::Value& root) {
  if (root.kind() != json::Kind::object)
    return std::unexpected(ApiError{.message = "The request body must be a JSON object."});
  CompletionRequest request;
  GenerationRequest& generation = request.options.generation;
  generation.max_tokens = kDefaultTokens;
  Members members;
  auto ok = read_members(root, kMembers, members, request.options);
  if (ok && request.options.model.empty()) ok = std::unexpected(missing("model"));
  if (ok) ok = read_prompts(members.prompt, request.prompts);
  if (ok && !members.max_tokens.is_null())
    ok = read_max_tokens("max_tokens", members.max_tokens, 0, request.options);
  if (ok && !members.echo.is_null()) ok = store(boolean("echo", members.echo), request.echo);
  if (ok) ok = read_logprobs(members.logprobs, generation);
  if (ok) ok = read_unsupported(members, generation);
  if (ok && generation.max_tokens == 0 && !request.echo)
    ok = std::unexpected(invalid("max_tokens", "must be at least 1 unless 'echo' is true"));
  if (!ok) return std::unexpected(std::move(ok.error()));
  generation.score_prompt = request.echo && generation.logprobs;
  return request;
}

}  // namespace baleen::openai
