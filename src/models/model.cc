#include "models/model.h"

#include <string>

namespace baleen {

double ModelCost::step_bytes(int64_t rows) const {
  double untouched = 1;
  for (int64_t row = 0; row < rows; ++row) untouched *= 1 - routed_share;
  return static_cast<double>(packed_bytes) + static_cast<double>(routed_bytes) * (1 - untouched);
}

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
