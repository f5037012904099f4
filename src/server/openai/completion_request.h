// POST /v1/completions, read and checked (OpenAI's reference, Completions; contract.md, HTTP).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/openai/generation_options.h"

namespace baleen::openai {

struct CompletionRequest {
  struct Prompt {
    std::string text;
    std::vector<int32_t> ids;  ///< where the client sent ids instead of text
    bool has_ids = false;
  };
  GenerationOptions options;
  std::vector<Prompt> prompts;
  bool echo = false;
};

/// `root` is any JSON value. Token ids are 0 or more; whether the model has them is not known here.
Field<CompletionRequest> read_completion_request(const json::Value& root);

}  // namespace baleen::openai
