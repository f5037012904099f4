// A folder's tokenizer as GGUF holds vocabularies.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "formats/vocabulary.h"

namespace baleen {

/// Kind byte_bpe or sentencepiece, with as many tokens as the embedding matrix has `rows`: ids without a token are
/// filled as llama.cpp's converter does. bad_input for a tokenizer that is bad, and for a construct that GGUF has no
/// name for.
Result<Vocabulary> as_gguf(const Vocabulary& tokenizer_json, int32_t rows);

}  // namespace baleen
