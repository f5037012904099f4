// The models that this server answers for, looked up by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace baleen {

struct ServedModel {
  Engine* engine;
  int64_t created;  ///< seconds since 1970: when it was loaded

  const LoadedModel& loaded() const { return engine->model(); }
  /// Ids that a token may have: the vocabulary's, or the embedding's rows where there is none.
  int32_t vocabulary() const;
};

/// Names are compared, never opened as a path. Not changed while requests are served.
class ServedModels {
 public:
  void add(Engine& engine, int64_t created) { models_.push_back({&engine, created}); }
  /// By id, or "default" for the first; null for any other name.
  const ServedModel* find(std::string_view name) const;
  const std::vector<ServedModel>& all() const { return models_; }

 private:
  std::vector<ServedModel> models_;
};

}  // namespace baleen
