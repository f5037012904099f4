// The tables of architectures/, one file each.
#pragma once

#include "formats/architecture.h"

namespace baleen {

/// What stands before and behind the layers of every architecture.
inline constexpr TensorRule kEnds[] = {
    matrix("token_embd.weight", extent::kVocab, extent::kDim), vector("output_norm.weight", extent::kDim),
    optional(
        matrix("output.weight", extent::kVocab, extent::kDim)),  // tied to the embeddings where it is absent
};

extern const Architecture kDeepseek2;
extern const Architecture kDeepseek32;
extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kQwen3Moe;
extern const Architecture kSmolLm3;

}  // namespace baleen
