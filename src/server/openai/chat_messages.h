// The conversation and its tools: from OpenAI's form to the one that chat templates read.
#pragma once

#include "server/openai/fields.h"

namespace baleen::openai {

/// Writes the array of messages: text parts become one string (joined by line ends), "developer" is "system".
Checked write_messages(const json::Value& messages, json::Writer& writer);

/// At most 128 functions, each with a name.
Checked check_tools(const json::Value& tools);

}  // namespace baleen::openai
