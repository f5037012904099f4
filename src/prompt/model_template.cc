#include "prompt/model_template.h"

#include <array>
#include <string>
#include <utility>

#include "base/json.h"
#include "prompt/deepseek_v32_template.h"

namespace baleen {
namespace {

bool is_space(std::string_view text) { return text.find_first_not_of(" \t\n\r") == std::string_view::npos; }

/// A token as tokenizer_config.json writes it: its text or {"content": its text}.
std::optional<std::string_view> token_text(const json::Value& value) {
  if (auto text = value.string()) return text;
  const auto content = value.find("content");
  return content ? content->string() : std::nullopt;
}

/// The text of a token; nothing where there is no such id.
std::optional<std::string> text_of(int32_t id, const Vocabulary& vocabulary, const Tokenizer* tokenizer) {
  if (id >= 0 && static_cast<size_t>(id) < vocabulary.tokens.size())
    return vocabulary.tokens[static_cast<size_t>(id)];
  if (tokenizer == nullptr || id < 0 || id >= tokenizer->size()) return std::nullopt;
  return std::string(tokenizer->bytes(id));
}

}  // namespace

Result<TemplateTokens> template_tokens(const Vocabulary& vocabulary, const Tokenizer* tokenizer) {
  const std::string_view text = vocabulary.tokenizer_config_json;
  auto config = json::Document::parse(text.empty() ? "{}" : text, json::kFileLimits);
  if (!config) return bad_input("tokenizer_config.json: " + config.error().message);
  TemplateTokens found;
  for (const auto& [key, value] : config->root())
    if (key.ends_with("_token"))
      if (const auto token = token_text(value)) found.named.emplace_back(key, *token);
  const std::array<std::pair<const char*, int32_t>, 4> ids = {{{"bos_token", vocabulary.bos},
                                                               {"eos_token", vocabulary.eos},
                                                               {"unk_token", vocabulary.unk},
                                                               {"pad_token", vocabulary.pad}}};
  for (const auto& [name, id] : ids)
    if (!config->root().find(name))
      if (auto token = text_of(id, vocabulary, tokenizer)) found.named.emplace_back(name, std::move(*token));
  if (tokenizer == nullptr) return found;
  for (const std::string& added : tokenizer->added_texts())
    if (!is_space(added)) found.control.push_back(added);
  return found;
}

Error bad_template(const Checkpoint& checkpoint, std::string_view what) {
  const bool folder = checkpoint.vocabulary().tokens.empty();  // its tokens are in tokenizer.json
  std::string field = folder ? "chat_template: " : "tokenizer.chat_template: ";
  return checkpoint.locate({ErrorKind::bad_input, field.append(what)});
}

std::string_view template_source(const Checkpoint& checkpoint) {
  if (!checkpoint.chat_template().empty()) return checkpoint.chat_template();
  return checkpoint.params().architecture == "deepseek32" ? kDeepSeekV32Template : std::string_view();
}

Result<std::optional<ChatTemplate>> model_template(const Checkpoint& checkpoint, const Tokenizer* tokenizer) {
  const std::string_view source = template_source(checkpoint);
  if (source.empty()) return std::nullopt;
  auto tokens = template_tokens(checkpoint.vocabulary(), tokenizer);
  if (!tokens) return std::unexpected(checkpoint.locate(tokens.error()));
  auto chat = ChatTemplate::compile(source, *tokens);
  if (chat) return std::move(*chat);
  return std::unexpected(bad_template(checkpoint, chat.error().message));
}

}  // namespace baleen
