// Checkpoints written anew as GGUF files, as `baleen quantize` does it.
#pragma once

#include <filesystem>

#include "base/block_type.h"
#include "formats/tiny_gguf.h"

namespace baleen::test {

/// A GGUF file or folder with its matrices as `type`, in `folder`. Without a vocabulary where it comes from a folder.
std::filesystem::path quantized(const std::filesystem::path& in, BlockType type,
                                const TemporaryFolder& folder);

/// A latent model's GGUF file as older converters made it: keys and values together in attn_kv_b (f32), key and value
/// lengths of a head alone, and as many KV heads as heads.
std::filesystem::path in_older_form(const std::filesystem::path& in, const TemporaryFolder& folder);

}  // namespace baleen::test
