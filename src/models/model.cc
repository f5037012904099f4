#include "models/model.h"

#include <string>

namespace baleen {

Result<void> check_positions(const HyperParameters& params, int64_t tokens) {
  if (!params.indexer.exist() || tokens <= params.context) return {};
  return wrong_usage(std::to_string(tokens) + " tokens: the model was made for " +
                     std::to_string(params.context));
}

void ModelCost::add_vectors(std::initializer_list<const std::vector<float>*> vectors) {
  for (const std::vector<float>* vector : vectors) {
    parameters += static_cast<int64_t>(vector->size());
    active_parameters += static_cast<int64_t>(vector->size());
  }
}

}  // namespace baleen
