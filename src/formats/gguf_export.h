// A checkpoint's metadata as GGUF, under llama.cpp's names (gguf-py, constants.py).
#pragma once

#include <string_view>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "formats/gguf_writer.h"

namespace baleen {

/// Of a checkpoint from GGUF: every entry as it stands there, but those that follow from how tensors are stored.
Result<void> copy_gguf_metadata(const Checkpoint& checkpoint, GgufWriter& writer);

/// Of a checkpoint from a folder. bad_input for what GGUF has no name for, naming the field of config.json.
Result<void> add_gguf_params(const Checkpoint& checkpoint, GgufWriter& writer);

/// A vocabulary of kind none, byte_bpe or sentencepiece, and the chat template if it is not empty. bad_input for more
/// ends of generation than GGUF can name.
Result<void> add_gguf_vocabulary(const Vocabulary& vocabulary, std::string_view chat_template,
                                 GgufWriter& writer);

/// Whether llama3's rope scaling, which has no metadata, can stand in the file as its tensor rope_freqs.weight.
bool has_rope_freqs(const HyperParameters& params);

}  // namespace baleen
