// Writes a value that was read, unchanged.
#pragma once

#include "base/json.h"

namespace baleen::openai {

void copy(const json::Value& value, json::Writer& writer);

}  // namespace baleen::openai
