#include "server/openai/chat_request.h"

#include <algorithm>
#include <optional>

#include "server/openai/chat_messages.h"

namespace baleen::openai {
namespace {

constexpr int64_t kMaxTopLogprobs = 20;  // contract.md, HTTP

/// OpenAI's, and DeepSeek's "max".
constexpr std::string_view kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

/// Members that are read together once all have been seen.
struct Members {
  json::Value messages, tools, tool_choice, response_format, modalities, documents;
  json::Value template_kwargs, thinking, reasoning_effort;
  json::Value logprobs, top_logprobs, max_tokens, max_completion_tokens;
  json::Value add_generation_prompt, continue_final_message;
};

constexpr MemberName<Members> kMembers[] = {
    {"messages", &Members::messages},
    {"tools", &Members::tools},
    {"tool_choice", &Members::tool_choice},
    {"response_format", &Members::response_format},
    {"modalities", &Members::modalities},
    {"documents", &Members::documents},
    {"chat_template_kwargs", &Members::template_kwargs},
    {"thinking", &Members::thinking},
    {"reasoning_effort", &Members::reasoning_effort},
    {"logprobs", &Members::logprobs},
    {"top_logprobs", &Members::top_logprobs},
    {"max_tokens", &Members::max_tokens},
    {"max_completion_tokens", &Members::max_completion_tokens},
    {"add_generation_prompt", &Members::add_generation_prompt},
    {"continue_final_message", &Members::continue_final_message},
};

Checked read_response_format(const json::Value& format) {
  if (format.is_null()) return {};
  if (auto ok = object("response_format", format); !ok) return ok;
  const auto type = text("response_format.type", format.find("type").value_or(json::Value()));
  if (!type) return std::unexpected(type.error());
  if (*type == "text") return {};
  if (*type == "json_object" || *type == "json_schema")
    return std::unexpected(unsupported("response_format", "forced JSON is not available yet"));
  return std::unexpected(invalid("response_format.type", "must be text, json_object or json_schema"));
}

Checked read_modalities(const json::Value& modalities) {
  if (modalities.is_null()) return {};
  if (auto ok = array("modalities", modalities, 2); !ok) return ok;
  for (const auto& [key, modality] : modalities)
    if (modality.string() != "text") return std::unexpected(unsupported("modalities", "only text is made"));
  return {};
}

bool has_tool(const json::Value& tools, std::string_view name) {
  for (const auto& [key, tool] : tools)
    if (const auto function = tool.find("function"); function && function->find("name")->string() == name)
      return true;
  return false;
}

/// True where the tools are shown to the model. Forcing a call needs constrained decoding.
Field<bool> read_tool_choice(const json::Value& choice, const json::Value& tools) {
  if (choice.is_null() || choice.string() == "auto") return !tools.is_null();
  if (choice.string() == "none") return false;
  const std::string name = "tool_choice";
  if (choice.kind() == json::Kind::object) {
    const json::Value function = choice.find("function").value_or(json::Value());
    const auto called = text(name + ".function.name", function.find("name").value_or(json::Value()));
    if (!called) return std::unexpected(called.error());
    if (!has_tool(tools, *called))
      return std::unexpected(invalid(name, "names a tool that is not in 'tools'"));
  } else if (choice.string() != "required") {
    return std::unexpected(invalid(name, "must be none, auto, required or name a function"));
  }
  return std::unexpected(unsupported(name, "forced tool calls are not available yet"));
}

Checked read_logprobs(const Members& members, GenerationRequest& generation) {
  if (!members.logprobs.is_null())
    if (auto ok = store(boolean("logprobs", members.logprobs), generation.logprobs); !ok) return ok;
  if (members.top_logprobs.is_null()) return {};
  const auto top = integer("top_logprobs", members.top_logprobs, 0, kMaxTopLogprobs);
  if (top && *top > 0 && !generation.logprobs)
    return std::unexpected(invalid("top_logprobs", "needs 'logprobs' to be true"));
  return store(top, generation.top_logprobs);
}

Checked write_flag(std::string_view name, const json::Value& value, json::Writer& writer) {
  if (value.is_null()) return {};
  const auto flag = boolean(name, value);
  if (!flag) return std::unexpected(flag.error());
  writer.member(name, *flag);
  return {};
}

/// Whether the model is to think: DeepSeek's `thinking`, else OpenAI's `reasoning_effort`; nothing where neither says.
Field<std::optional<bool>> read_thinking(const Members& members) {
  if (!members.thinking.is_null()) {
    if (auto ok = object("thinking", members.thinking); !ok) return std::unexpected(std::move(ok.error()));
    const auto type = text("thinking.type", members.thinking.find("type").value_or(json::Value()));
    if (!type) return std::unexpected(type.error());
    if (*type != "enabled" && *type != "disabled")
      return std::unexpected(invalid("thinking.type", "must be enabled or disabled"));
    return *type == "enabled";
  }
  if (members.reasoning_effort.is_null()) return std::nullopt;
  const auto effort = text("reasoning_effort", members.reasoning_effort);
  if (!effort) return std::unexpected(effort.error());
  if (std::ranges::find(kEfforts, *effort) == std::end(kEfforts))
    return std::unexpected(
        invalid("reasoning_effort", "must be none, minimal, low, medium, high, xhigh or max"));
  return *effort != "none" && *effort != "minimal";
}

/// The caller's own variables win over what other fields say.
Checked write_template_variables(const Members& members, json::Writer& writer) {
  const auto thinking = read_thinking(members);
  if (!thinking) return std::unexpected(thinking.error());
  const json::Value& given = members.template_kwargs;
  if (!given.is_null())
    if (auto ok = object("chat_template_kwargs", given); !ok) return ok;
  const auto is_given = [&](std::string_view name) { return !given.is_null() && given.find(name); };
  writer.key("chat_template_kwargs").begin_object();
  if (!given.is_null())
    for (const auto& [name, value] : given) writer.key(name).copy(value);
  // The families' names for one thing.
  if (*thinking && !is_given("thinking") && !is_given("enable_thinking"))
    writer.member("thinking", **thinking).member("enable_thinking", **thinking);
  if (!members.reasoning_effort.is_null() && !is_given("reasoning_effort"))
    writer.key("reasoning_effort").copy(members.reasoning_effort);
  writer.end_object();
  return {};
}

/// True where the model sees tools.
Field<bool> write_template_request(const Members& members, json::Writer& writer) {
  writer.begin_object().key("messages");
  if (auto ok = write_messages(members.messages, writer); !ok) return std::unexpected(ok.error());
  if (!members.tools.is_null())
    if (auto ok = check_tools(members.tools); !ok) return std::unexpected(ok.error());
  auto shows_tools = read_tool_choice(members.tool_choice, members.tools);
  if (!shows_tools) return std::unexpected(shows_tools.error());
  shows_tools = *shows_tools && members.tools.size() > 0;
  if (*shows_tools) {
    writer.key("tools").copy(members.tools);
  }
  if (!members.documents.is_null()) {
    if (auto ok = array("documents", members.documents, members.documents.size()); !ok)
      return std::unexpected(ok.error());
    writer.key("documents").copy(members.documents);
  }
  Checked ok = write_template_variables(members, writer);
  if (ok) ok = write_flag("add_generation_prompt", members.add_generation_prompt, writer);
  if (ok) ok = write_flag("continue_final_message", members.continue_final_message, writer);
  if (!ok) return std::unexpected(std::move(ok.error()));
  writer.end_object();
  return shows_tools;
}

}  // namespace

Field<ChatRequest> read_chat_request(const json::Value& root) {
  if (root.kind() != json::Kind::object)
    return std::unexpected(ApiError{.message = "The request body must be a JSON object."});
  ChatRequest request;
  GenerationOptions& options = request.options;
  Members members;
  json::Writer writer;
  auto ok = read_members(root, kMembers, members, options);
  if (ok && options.model.empty()) ok = std::unexpected(missing("model"));
  if (ok && members.messages.is_null()) ok = std::unexpected(missing("messages"));
  if (ok) ok = read_logprobs(members, options.generation);
  if (ok && !members.max_tokens.is_null()) ok = read_max_tokens("max_tokens", members.max_tokens, 1, options);
  if (ok && !members.max_completion_tokens.is_null())
    ok = read_max_tokens("max_completion_tokens", members.max_completion_tokens, 1, options);
  if (ok) ok = read_response_format(members.response_format);
  if (ok) ok = read_modalities(members.modalities);
  if (ok) ok = store(write_template_request(members, writer), request.shows_tools);
  if (!ok) return std::unexpected(std::move(ok.error()));
  request.template_request = writer.take();
  return request;
}

}  // namespace baleen::openai
