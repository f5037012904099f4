// Which file runs which architecture: a new one is one line here.
#include <string>
#include <string_view>

#include "models/architectures.h"

namespace baleen {
namespace {

struct Architecture {
  std::string_view name;  ///< HyperParameters::architecture
  Result<std::unique_ptr<Model>> (*load)(WeightLoader& loader);
};

constexpr Architecture kArchitectures[] = {
    {"deepseek2", load_deepseek2}, {"deepseek32", load_deepseek2}, {"llama", load_llama},
    {"qwen2", load_llama},         {"qwen3", load_qwen3},          {"qwen3moe", load_qwen3},
    {"smollm3", load_llama},
};

}  // namespace

Result<std::unique_ptr<Model>> load_model(const Checkpoint& checkpoint, const Compute& compute,
                                          const LoadOptions& options) {
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name != checkpoint.params().architecture) continue;
    if (auto fits = check_memory(checkpoint, options); !fits) return error_of(fits);
    WeightLoader loader(checkpoint, compute, options);
    auto model = architecture.load(loader);
    if (options.progress != nullptr) options.progress(1);  // tensors are not all that a file has
    return model;
  }
  return bad_input("general.architecture: " + checkpoint.params().architecture + " is not supported");
}

}  // namespace baleen
