// The shape of latent attention, checked alike whatever the fields are called.
#pragma once

#include <string_view>

#include "formats/fields.h"
#include "formats/hyper_parameters.h"

namespace baleen {

struct LatentKeys {
  std::string_view q_rank, kv_rank, rope_dim;
};

/// Ranks and the dimensions that turn. Errors are recorded in `fields`.
void read_latent_ranks(Fields& fields, const LatentKeys& keys, LatentParameters& latent);

/// What follows for attention as a whole once params.latent and params.heads are known: every head has keys and values
/// of its own, made of the latent. `stated`: kv heads in the file; `latent_is_one`: it may count the latent itself.
void finish_latents(Fields& fields, std::string_view kv_heads_key, bool latent_is_one,
                    HyperParameters& params);

struct IndexerKeys {
  std::string_view heads, key_dim, top_k;
};

/// params.latent must be known: the indexer turns as many dimensions and reads the compressed queries.
void read_indexer(Fields& fields, const IndexerKeys& keys, std::string_view q_rank_key,
                  HyperParameters& params);

}  // namespace baleen
