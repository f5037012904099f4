// The vocabulary of a GGUF file (tokenizer.ggml.*), checked as contract.md asks.
#pragma once

#include "base/error.h"
#include "formats/gguf_fields.h"
#include "formats/gguf_metadata.h"
#include "formats/vocabulary.h"

namespace baleen {

Result<Vocabulary> read_gguf_vocabulary(const GgufMetadata& metadata, GgufFields& fields);

}  // namespace baleen
