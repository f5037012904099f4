// The vocabulary of a model, for commands that need nothing else of it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

namespace baleen {

/// `model`: a GGUF file, a Hugging Face folder, or the name of a pulled model. Reads no tensor.
Result<Tokenizer> open_tokenizer(std::string_view model);

}  // namespace baleen
