#include "server/openai/chat_request.h"

#include "server/openai/chat_messages.h"
#include "server/openai/json_copy.h"

namespace baleen::openai {
namespace {

constexpr int64_t kMaxTopLogprobs = 20;  // contract.md, HTTP

/// Members that are read together once all have been seen.
struct Members {
  json::Value messages, tools, tool_choice, response_format, modalities, documents, template_kwargs;
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

Checked write_template_request(const Members& members, json::Writer& writer) {
  writer.begin_object().key("messages");
  if (auto ok = write_messages(members.messages, writer); !ok) return ok;
  if (!members.tools.is_null())
    if (auto ok = check_tools(members.tools); !ok) return ok;
  const auto shows_tools = read_tool_choice(members.tool_choice, members.tools);
  if (!shows_tools) return std::unexpected(shows_tools.error());
  if (*shows_tools && members.tools.size() > 0) {
    writer.key("tools");
    copy(members.tools, writer);
  }
  if (!members.documents.is_null()) {
    if (auto ok = array("documents", members.documents, members.documents.size()); !ok) return ok;
    writer.key("documents");
    copy(members.documents, writer);
  }
  if (!members.template_kwargs.is_null()) {
    if (auto ok = object("chat_template_kwargs", members.template_kwargs); !ok) return ok;
    writer.key("chat_template_kwargs");
    copy(members.template_kwargs, writer);
  }
  if (auto ok = write_flag("add_generation_prompt", members.add_generation_prompt, writer); !ok) return ok;
  if (auto ok = write_flag("continue_final_message", members.continue_final_message, writer); !ok) return ok;
  writer.end_object();
  return {};
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
  if (ok) ok = write_template_request(members, writer);
  if (!ok) return std::unexpected(std::move(ok.error()));
  request.template_request = writer.take();
  return request;
}

}  // namespace baleen::openai
