#include "server/openai/chat_messages.h"

#include <fmt/format.h>

#include <algorithm>

namespace baleen::openai {
namespace {

// contract.md, HTTP.
constexpr size_t kMaxMessages = 4096, kMaxTools = 128;
constexpr size_t kMaxFunctionName = 64;  // OpenAI's reference

constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool", "function"};

/// The fields of a message that templates read beside role and content.
constexpr std::string_view kCopied[] = {"name", "tool_calls", "tool_call_id", "reasoning_content"};

/// The text of one part; media are refused, and nothing is ever fetched.
Field<std::string_view> part_text(const std::string& name, const json::Value& part) {
  if (auto ok = object(name, part); !ok) return std::unexpected(std::move(ok.error()));
  const auto type = text(name + ".type", part.find("type").value_or(json::Value()));
  if (!type) return std::unexpected(type.error());
  if (*type != "text" && *type != "refusal")
    return std::unexpected(unsupported(name + ".type", "this model takes text parts only"));
  return text(name + "." + std::string(*type), part.find(*type).value_or(json::Value()));
}

Field<std::string> content_text(const std::string& name, const json::Value& content) {
  if (content.kind() != json::Kind::array) {
    const auto whole = text(name, content);
    if (!whole) return std::unexpected(whole.error());
    return std::string(*whole);
  }
  std::string joined;
  size_t index = 0;
  for (const auto& [key, part] : content) {
    const auto piece = part_text(fmt::format("{}[{}]", name, index), part);
    if (!piece) return std::unexpected(piece.error());
    if (index++ > 0) joined += '\n';
    joined += *piece;
  }
  return joined;
}

Checked check_tool_calls(const std::string& name, const json::Value& calls) {
  if (auto ok = array(name, calls, kMaxTools); !ok) return ok;
  size_t index = 0;
  for (const auto& [key, call] : calls) {
    const std::string at = fmt::format("{}[{}].function", name, index++);
    const json::Value function = call.find("function").value_or(json::Value());
    if (auto ok = object(at, function); !ok) return ok;
    for (const std::string field : {"name", "arguments"})
      if (auto ok = text(at + "." + field, function.find(field).value_or(json::Value())); !ok)
        return std::unexpected(std::move(ok.error()));
  }
  return {};
}

Checked write_content(const std::string& name, const json::Value& message, std::string_view role,
                      json::Writer& writer) {
  const json::Value content = message.find("content").value_or(json::Value());
  const bool may_lack = role == "assistant" || role == "function";
  writer.key("content");
  if (content.is_null() && may_lack) {
    // Templates that concatenate the content cannot take null; those that look for calls see them first.
    writer.value("");
    return {};
  }
  const auto whole = content_text(name + ".content", content);
  if (!whole) return std::unexpected(whole.error());
  writer.value(*whole);
  return {};
}

Checked write_message(const std::string& name, const json::Value& message, json::Writer& writer) {
  if (auto ok = object(name, message); !ok) return ok;
  const auto role = text(name + ".role", message.find("role").value_or(json::Value()));
  if (!role) return std::unexpected(role.error());
  if (std::ranges::find(kRoles, *role) == std::end(kRoles))
    return std::unexpected(
        invalid(name + ".role", "must be one of system, developer, user, assistant, tool, function"));
  writer.begin_object().member("role", *role == "developer" ? "system" : *role);
  if (auto ok = write_content(name, message, *role, writer); !ok) return ok;
  for (const std::string_view field : kCopied) {
    const json::Value value = message.find(field).value_or(json::Value());
    if (value.is_null()) continue;
    const std::string at = fmt::format("{}.{}", name, field);
    auto ok = field == "tool_calls" ? check_tool_calls(at, value) : Checked{};
    if (field != "tool_calls") {
      if (const auto string = text(at, value); !string) ok = std::unexpected(string.error());
    }
    if (!ok) return ok;
    writer.key(field).copy(value);
  }
  writer.end_object();
  return {};
}

}  // namespace

Checked write_messages(const json::Value& messages, json::Writer& writer) {
  if (auto ok = array("messages", messages, kMaxMessages); !ok) return ok;
  if (messages.size() == 0) return std::unexpected(invalid("messages", "must have at least one message"));
  writer.begin_array();
  size_t index = 0;
  for (const auto& [key, message] : messages)
    if (auto ok = write_message(fmt::format("messages[{}]", index++), message, writer); !ok) return ok;
  writer.end_array();
  return {};
}

Checked check_tools(const json::Value& tools) {
  if (auto ok = array("tools", tools, kMaxTools); !ok) return ok;
  size_t index = 0;
  for (const auto& [key, tool] : tools) {
    const std::string name = fmt::format("tools[{}]", index++);
    if (auto ok = object(name, tool); !ok) return ok;
    const auto type = text(name + ".type", tool.find("type").value_or(json::Value()));
    if (!type) return std::unexpected(type.error());
    if (*type != "function") return std::unexpected(unsupported(name + ".type", "only functions are taken"));
    const json::Value function = tool.find("function").value_or(json::Value());
    if (auto ok = object(name + ".function", function); !ok) return ok;
    const auto called = text(name + ".function.name", function.find("name").value_or(json::Value()));
    if (!called) return std::unexpected(called.error());
    if (called->empty() || called->size() > kMaxFunctionName)
      return std::unexpected(
          invalid(name + ".function.name", fmt::format("must have 1 to {} characters", kMaxFunctionName)));
  }
  return {};
}

}  // namespace baleen::openai
