// The two halves of latent attention's kv_b (arXiv 2405.04434), which turns latents into keys and values.
#pragma once

#include <vector>

#include "formats/hyper_parameters.h"

namespace baleen {

struct LatentHalves {
  std::vector<float> keys;    ///< [heads][rank][nope]: transposed, for a head's query is turned by it
  std::vector<float> values;  ///< [heads][value][rank]
};

/// Of kv_b [heads * (nope + value), rank], which holds a head's keys, then its values.
LatentHalves split_latent_halves(const std::vector<float>& kv_b, const LatentParameters& latent);

}  // namespace baleen
