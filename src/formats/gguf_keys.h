// The keys of GGUF metadata that hold groups of hyper-parameters (gguf-py, constants.py), for reader and writer. In
// front of a '.' the architecture's name is left out.
#pragma once

#include <string_view>

#include "formats/expert_fields.h"
#include "formats/head_fields.h"
#include "formats/latent_fields.h"

namespace baleen::gguf {

inline constexpr HeadKeys kHeads = {".attention.head_count", ".attention.head_count_kv",
                                    ".attention.key_length", ".attention.value_length"};
/// Of a head where kHeads' lengths are those of the latent.
inline constexpr std::string_view kHeadKeyLength = ".attention.key_length_mla",
                                  kHeadValueLength = ".attention.value_length_mla";
inline constexpr std::string_view kRopeDimensions = ".rope.dimension_count";
inline constexpr LatentKeys kLatents = {".attention.q_lora_rank", ".attention.kv_lora_rank", kRopeDimensions};
inline constexpr IndexerKeys kIndexer = {".attention.indexer.head_count", ".attention.indexer.key_length",
                                         ".attention.indexer.top_k"};
inline constexpr ExpertKeys kExperts = {.count = ".expert_count",
                                        .used = ".expert_used_count",
                                        .ffn_dim = ".expert_feed_forward_length",
                                        .shared = ".expert_shared_count",
                                        .leading_dense = ".leading_dense_block_count",
                                        .groups = ".expert_group_count",
                                        .groups_used = ".expert_group_used_count",
                                        .weight_scale = ".expert_weights_scale",
                                        .normalise = ".expert_weights_norm"};
inline constexpr std::string_view kExpertGate = ".expert_gating_func";
inline constexpr int32_t kSoftmaxGate = 1, kSigmoidGate = 2;  // llama.cpp's numbers

}  // namespace baleen::gguf
