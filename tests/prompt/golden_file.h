// Reads parts of golden files.
#pragma once

#include <string>

#include "base/json.h"

namespace baleen {

inline std::string text_member(const json::Value& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->string() ? std::string(*member->string()) : std::string();
}

}  // namespace baleen
