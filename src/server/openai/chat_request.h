// POST /v1/chat/completions, read and checked (OpenAI's reference, Chat Completions; contract.md, HTTP).
#pragma once

#include <string>

#include "server/openai/generation_options.h"

namespace baleen::openai {

struct ChatRequest {
  GenerationOptions options;
  std::string template_request;  ///< JSON for ChatTemplate::render
  bool shows_tools = false;      ///< the model sees tools and may call them
};

/// `root` is any JSON value.
Field<ChatRequest> read_chat_request(const json::Value& root);

}  // namespace baleen::openai
