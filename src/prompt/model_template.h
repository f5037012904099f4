// The chat template of a model's files, with the tokens that its vocabulary lends to it.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "prompt/chat_template.h"

namespace baleen {

/// Named: a folder's are those of tokenizer_config.json; bos, eos, unk and pad by their ids where it does not speak of
/// them. Control: what `tokenizer` recognises in a template's text, but white space; none where it is null, which is
/// enough for the prompt's text. bad_input where tokenizer_config.json is malformed.
Result<TemplateTokens> template_tokens(const Vocabulary& vocabulary, const Tokenizer* tokenizer);

/// The files' template, or ours for an architecture that is published without one (DeepSeek V3.2); empty where there is
/// none.
std::string_view template_source(const Checkpoint& checkpoint);

/// Nothing where there is no template. Errors name file and field.
Result<std::optional<ChatTemplate>> model_template(const Checkpoint& checkpoint, const Tokenizer* tokenizer);

/// What is wrong with the template, by file and field.
Error bad_template(const Checkpoint& checkpoint, std::string_view what);

}  // namespace baleen
