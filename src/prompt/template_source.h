// Finds the chat template of a model: all that `baleen template` needs to know about it.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "prompt/chat_template.h"

namespace baleen {

struct TemplateSource {
  std::string text;
  TemplateTokens tokens;
};

/// A GGUF file (a vocabulary is enough), or a Hugging Face folder: chat_template.jinja, else the chat_template of
/// tokenizer_config.json (of several the one named "default"), whose tokens count in both cases.
/// bad_input where there is no template.
Result<TemplateSource> read_template_source(const std::filesystem::path& model);

}  // namespace baleen
