// Names of tensors taken apart. They are GGUF's: "blk.3.attn_q.weight". A stack of experts that a folder has apart is
// "blk.3.ffn_gate_exps.7.weight", expert by expert.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baleen {

inline constexpr std::string_view kLayerPrefix = "blk.";

struct NumberedName {
  int32_t number;
  std::string_view rest;
};

/// "blk.3.attn_q.weight", "blk." -> 3, "attn_q.weight". Nothing for another prefix, and for numbers with leading zeros.
std::optional<NumberedName> split_number(std::string_view name, std::string_view prefix);

/// "ffn_gate_exps.weight", 7 -> "ffn_gate_exps.7.weight".
std::string expert_name(std::string_view stack, int32_t expert);

struct ExpertName {
  std::string stack;  ///< "ffn_gate_exps.weight"
  int32_t expert;
};
/// The other way; nothing for a name that is no single expert's.
std::optional<ExpertName> split_expert_name(std::string_view name);

}  // namespace baleen
