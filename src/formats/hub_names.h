// The names of tensors in Hugging Face checkpoints and in GGUF (llama.cpp's gguf-py, tensor_mapping.py).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace baleen {

/// "model.layers.3.self_attn.q_proj.weight" -> "blk.3.attn_q.weight", experts as in tensor_name.h; nothing for a name
/// that we do not know.
std::optional<std::string> gguf_name(std::string_view hub_name);

/// The other way; the name itself where there is no other.
std::string hub_name(std::string_view gguf_name);

}  // namespace baleen
