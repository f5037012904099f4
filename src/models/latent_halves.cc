#include "models/latent_halves.h"

namespace baleen {

LatentHalves split_latent_halves(const std::vector<float>& kv_b, const LatentParameters& latent) {
  const auto rank = static_cast<size_t>(latent.kv_rank), nope = static_cast<size_t>(latent.nope_dim);
  const auto value = static_cast<size_t>(latent.value_dim);
  const size_t head_floats = (nope + value) * rank, heads = kv_b.size() / head_floats;
  LatentHalves halves{std::vector<float>(heads * nope * rank), {}};
  for (size_t head = 0; head < heads; ++head) {
    const float* rows = kv_b.data() + head * head_floats;
    for (size_t r = 0; r < rank; ++r)
      for (size_t n = 0; n < nope; ++n) halves.keys[(head * rank + r) * nope + n] = rows[n * rank + r];
    halves.values.insert(halves.values.end(), rows + nope * rank, rows + head_floats);
  }
  return halves;
}

}  // namespace baleen
