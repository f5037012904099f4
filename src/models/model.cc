#include "models/model.h"

#include <fmt/format.h>

#include <string>

#include "base/available_memory.h"
#include "models/weight_types.h"

namespace baleen {

Result<void> check_positions(const HyperParameters& params, int64_t tokens) {
  if (!params.indexer.exist() || tokens <= params.context) return {};
  return wrong_usage(std::to_string(tokens) + " tokens: the model was made for " +
                     std::to_string(params.context));
}

Result<void> check_memory(const Checkpoint& checkpoint, const LoadOptions& options) {
  const auto available = available_memory();
  const uint64_t bytes = loaded_bytes(checkpoint, options.weights);
  if (!available || bytes <= *available) return {};
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  return failed(fmt::format("the model has {:.1f} GiB, this machine has {:.1f} GiB of memory left",
                            static_cast<double>(bytes) / kGiB, static_cast<double>(*available) / kGiB));
}

void ModelCost::only_wanted(const ModelCost& part) {
  macs_per_token -= part.macs_per_token;
  macs_per_wanted_row += part.macs_per_token;
}

void ModelCost::add_vectors(std::initializer_list<const std::vector<float>*> vectors) {
  for (const std::vector<float>* vector : vectors) {
    parameters += static_cast<int64_t>(vector->size());
    active_parameters += static_cast<int64_t>(vector->size());
  }
}

}  // namespace baleen
