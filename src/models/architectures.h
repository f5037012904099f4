// The loaders that the registry names, one per architecture's file.
#pragma once

#include <memory>

#include "base/error.h"
#include "models/model.h"
#include "models/weight_loader.h"

namespace baleen {

Result<std::unique_ptr<Model>> load_deepseek2(WeightLoader& loader);
Result<std::unique_ptr<Model>> load_llama(WeightLoader& loader);
Result<std::unique_ptr<Model>> load_qwen3(WeightLoader& loader);

}  // namespace baleen
