#include "server/openai/prompts.h"

#include <fmt/format.h>

#include <algorithm>

namespace baleen::openai {
namespace {

ApiError no_vocabulary() {
  return unsupported("prompt", "this model has no vocabulary and takes only token ids, in completions");
}

Field<std::vector<int32_t>> check_length(const ServedModel& model, std::string_view field,
                                         std::vector<int32_t> ids) {
  const auto context = static_cast<size_t>(model.engine->context());
  if (ids.size() <= context) return ids;
  return std::unexpected(ApiError{
      .message =
          fmt::format("This model's maximum context length is {} tokens. However, your {} resulted in {} "
                      "tokens. Please reduce its length.",
                      context, field, ids.size()),
      .param = std::string(field),
      .code = "context_length_exceeded"});
}

}  // namespace

Field<ChatPrompt> chat_prompt(const ServedModel& model, const ChatRequest& request) {
  const LoadedModel& loaded = model.loaded();
  if (!loaded.tokenizer) return std::unexpected(no_vocabulary());
  if (!loaded.chat)
    return std::unexpected(unsupported("messages", "this model has no chat template; use /v1/completions"));
  auto rendered = loaded.chat->render(request.template_request, "");
  if (!rendered) return std::unexpected(invalid("messages", rendered.error().message));
  auto ids = check_length(model, "messages", loaded.tokenizer->encode(rendered->spans()));
  if (!ids) return std::unexpected(std::move(ids.error()));
  AnswerFormat format = loaded.chat->answers();
  if (!request.shows_tools) format.tools = ToolSyntax::none;
  return ChatPrompt{std::move(*ids), AnswerParser(format, rendered->text)};
}

Field<std::vector<int32_t>> completion_prompt(const ServedModel& model,
                                              const CompletionRequest::Prompt& prompt) {
  std::vector<int32_t> ids = prompt.ids;
  const Tokenizer* tokenizer = model.loaded().tokenizer.get();
  if (!prompt.has_ids) {
    if (tokenizer == nullptr) return std::unexpected(no_vocabulary());
    tokenizer->encode_special(prompt.text, ids);
    const std::vector<int32_t>& prefix = tokenizer->prefix();
    const bool starts_so = std::ranges::mismatch(prefix, ids).in1 == prefix.end();
    if (!starts_so) ids.insert(ids.begin(), prefix.begin(), prefix.end());
    if (ids.empty() && tokenizer->bos() >= 0) ids.push_back(tokenizer->bos());
  }
  if (ids.empty()) return std::unexpected(invalid("prompt", "must not be empty"));
  for (const int32_t id : ids)
    if (id >= model.vocabulary())
      return std::unexpected(invalid("prompt", "a token id is outside the vocabulary"));
  return check_length(model, "prompt", std::move(ids));
}

std::string echoed_text(const ServedModel& model, const CompletionRequest::Prompt& prompt) {
  const Tokenizer* tokenizer = model.loaded().tokenizer.get();
  if (!prompt.has_ids) return prompt.text;
  return tokenizer == nullptr ? std::string() : tokenizer->decode(prompt.ids);
}

}  // namespace baleen::openai
