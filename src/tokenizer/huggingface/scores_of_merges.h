// Merges of pairs as scores of what they make: SentencePiece's BPE, which GGUF's llama vocabularies hold.
#pragma once

#include <optional>
#include <vector>

#include "formats/vocabulary.h"
#include "tokenizer/huggingface/json_node.h"

namespace baleen::huggingface {

/// One score a token of `vocabulary`, higher for what is merged sooner. Nothing, and reported, where scores cannot say
/// the same: merges that make one token must stand together, and every cut of a token into two others must be there.
std::optional<std::vector<float>> scores_of_merges(const Node& merges, const Vocabulary& vocabulary);

}  // namespace baleen::huggingface
