#include "formats/latent_fields.h"

#include <fmt/format.h>

#include "formats/parameter_limits.h"

namespace baleen {

void read_latent_ranks(Fields& fields, const LatentKeys& keys, LatentParameters& latent) {
  latent.q_rank = fields.has(keys.q_rank) ? fields.integer(keys.q_rank, kRankRange) : 0;
  latent.kv_rank = fields.integer(keys.kv_rank, kRankRange);
  latent.rope_dim = fields.integer(keys.rope_dim, kHeadDimRange);
  if (latent.rope_dim % 2 != 0)
    fields.fail(keys.rope_dim, fmt::format("is {}, which rope cannot turn in pairs", latent.rope_dim));
}

void finish_latents(Fields& fields, std::string_view kv_heads_key, bool latent_is_one,
                    HyperParameters& params) {
  const LatentParameters& latent = params.latent;
  const int32_t stated = fields.integer(kv_heads_key, kHeadRange, params.heads);
  if (stated != params.heads && !(latent_is_one && stated == 1))
    fields.fail(kv_heads_key, fmt::format("is {}, with latents each of the {} heads has its own keys", stated,
                                          params.heads));
  params.kv_heads = params.heads;
  params.key_dim = latent.nope_dim + latent.rope_dim;
  params.value_dim = latent.value_dim;
  params.rope.dimensions = latent.rope_dim;
}

void read_indexer(Fields& fields, const IndexerKeys& keys, std::string_view q_rank_key,
                  HyperParameters& params) {
  IndexerParameters& indexer = params.indexer;
  indexer.heads = fields.integer(keys.heads, kHeadRange);
  indexer.key_dim = fields.integer(keys.key_dim, kHeadDimRange);
  indexer.top_k = fields.integer(keys.top_k, kContextRange);
  if (indexer.key_dim < params.latent.rope_dim)
    fields.fail(keys.key_dim, fmt::format("is {}, fewer than the {} dimensions that turn", indexer.key_dim,
                                          params.latent.rope_dim));
  if (params.latent.q_rank == 0) fields.fail(q_rank_key, "is missing, the indexer reads compressed queries");
}

}  // namespace baleen
