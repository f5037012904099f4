#include "prompt/template_source.h"

#include <optional>
#include <utility>

#include "base/json.h"
#include "base/mapped_file.h"
#include "formats/checkpoint.h"

namespace baleen {
namespace {

namespace fs = std::filesystem;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A token as tokenizer_config.json writes it: its text or {"content": its text}.
std::optional<std::string_view> token_text(const json::Value& value) {
  if (auto text = value.string()) return text;
  const auto content = value.find("content");
  return content ? content->string() : std::nullopt;
}

void read_tokens(const json::Value& config, TemplateTokens& tokens) {
  for (const auto& [key, value] : config)
    if (key.ends_with("_token"))
      if (const auto text = token_text(value)) tokens.named.emplace_back(key, *text);
  const auto added = config.find("added_tokens_decoder");
  if (!added) return;
  for (const auto& [id, token] : *added)
    if (const auto text = token_text(token)) tokens.control.emplace_back(*text);
}

/// One template, or a list of {"name", "template"}.
std::optional<std::string_view> template_of(const json::Value& config) {
  const auto value = config.find("chat_template");
  if (!value || value->kind() != json::Kind::array) return value ? value->string() : std::nullopt;
  std::optional<std::string_view> found;
  for (const auto& [key, entry] : *value) {
    const auto name = entry.find("name"), source = entry.find("template");
    if (name && source && (!found || name->string() == "default")) found = source->string();
  }
  return found;
}

Result<TemplateSource> read_folder(const fs::path& folder) {
  TemplateSource source;
  std::error_code ignored;
  const fs::path config_path = folder / "tokenizer_config.json", jinja_path = folder / "chat_template.jinja";
  bool found = false;
  if (fs::exists(config_path, ignored)) {
    auto file = MappedFile::open(config_path);
    if (!file) return error_of(file);
    auto config = json::Document::parse(as_text(file->bytes()), json::kFileLimits);
    if (!config) return bad_input(config_path.string() + ": " + config.error().message);
    read_tokens(config->root(), source.tokens);
    if (const auto text = template_of(config->root())) {
      source.text = *text;
      found = true;
    }
  }
  if (fs::exists(jinja_path, ignored)) {
    auto file = MappedFile::open(jinja_path);
    if (!file) return error_of(file);
    source.text = as_text(file->bytes());
    found = true;
  }
  if (!found)
    return bad_input(folder.string() + ": no chat template (chat_template.jinja or tokenizer_config.json)");
  return source;
}

}  // namespace

Result<TemplateSource> read_template_source(const fs::path& model) {
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return read_folder(model);
  auto checkpoint = Checkpoint::open_vocabulary(model);
  if (!checkpoint) return error_of(checkpoint);
  if (checkpoint->chat_template().empty())
    return bad_input(model.string() + ": tokenizer.chat_template: missing, so this model has no chat format");
  return TemplateSource{checkpoint->chat_template(), template_tokens(checkpoint->vocabulary())};
}

}  // namespace baleen
