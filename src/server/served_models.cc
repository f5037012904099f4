#include "server/served_models.h"

namespace baleen {

int32_t ServedModel::vocabulary() const {
  const LoadedModel& model = loaded();
  return model.tokenizer ? model.tokenizer->size() : model.model->params().vocab_rows;
}

const ServedModel* ServedModels::find(std::string_view name) const {
  if (name == "default" && !models_.empty()) return &models_.front();
  for (const ServedModel& model : models_)
    if (model.loaded().id == name) return &model;
  return nullptr;
}

}  // namespace baleen
