#include "formats/architecture.h"

#include <string>

#include "formats/architectures/architectures.h"

namespace baleen {
namespace {

constexpr const Architecture* kArchitectures[] = {&kLlama,   &kQwen2,     &kQwen3,     &kQwen3Moe,
                                                  &kSmolLm3, &kDeepseek2, &kDeepseek32};

}  // namespace

const Architecture* find_architecture(std::string_view name) {
  for (const Architecture* architecture : kArchitectures)
    if (architecture->name == name) return architecture;
  return nullptr;
}

std::string_view known_architectures() {
  static const std::string names = [] {
    std::string all;
    for (const Architecture* architecture : kArchitectures) {
      if (!all.empty()) all += ", ";
      all += architecture->name;
    }
    return all;
  }();
  return names;
}

}  // namespace baleen
