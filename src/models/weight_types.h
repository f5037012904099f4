// What a tensor becomes when a model's weights are encoded, by `quantize` and while loading alike.
#pragma once

#include <cstdint>
#include <optional>

#include "base/block_type.h"
#include "formats/checkpoint.h"

namespace baleen {

enum class Fit {
  asked,        ///< the type asked for
  finer,        ///< the output matrix of types below 6 bits: q6_k or q8_0
  fallen_back,  ///< rows that the type's blocks do not divide: q8_0, or the tensor's own type
  kept,         ///< a vector (norm, bias, rope factors) or a router: f32
};

struct EncodedAs {
  BlockType type;
  Fit fit;
};

/// The matrix that makes the logits is kept at 6 bits or more, as published files do: its errors reach every token's
/// probability directly.
EncodedAs encoded_as(const Checkpoint& checkpoint, const Tensor& tensor, BlockType wanted);

/// The same while loading: what is quantised already stays as it is. Nothing wanted: every tensor's own type.
EncodedAs loaded_as(const Checkpoint& checkpoint, const Tensor& tensor, std::optional<BlockType> wanted);

/// Bytes of all tensors of a checkpoint as they are loaded, before they are packed.
uint64_t loaded_bytes(const Checkpoint& checkpoint, std::optional<BlockType> wanted);

/// Bytes of a tensor's values in another type, whose blocks divide its rows.
uint64_t bytes_as(const Tensor& tensor, BlockType type);

}  // namespace baleen
