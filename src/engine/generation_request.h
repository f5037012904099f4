// What both protocols are translated to and from: one request, one stream of events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decode/sampler.h"

namespace baleen {

struct GenerationRequest {
  std::vector<int32_t> prompt;  ///< token ids, nothing is added
  int32_t choices = 1;          ///< n
  int32_t max_tokens = -1;      ///< -1: until the context is full; 0 with echo scores the prompt only
  SamplingParams sampling;
  std::vector<std::string> stop;  ///< never part of the text
  bool ignore_eos = false;
  bool logprobs = false;  ///< a TokenLogprob per generated token
  int32_t top_logprobs = 0;
  bool score_prompt = false;  ///< logprobs of the prompt's tokens too (completions: echo + logprobs)
  bool keep_special = false;  ///< control tokens show up in the text (run --raw, completions keep false)
};

enum class FinishReason { stop, length, cancelled, failed };

struct TokenEvent {
  int32_t token = -1;
  float logprob = 0;
  std::vector<TokenLogprob> top;
};

struct Usage {
  int32_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
  double prefill_seconds = 0, decode_seconds = 0, queue_seconds = 0;
};

struct GenerationEvent {
  enum class Kind {
    prompt_scored,  ///< `tokens`: one per prompt token (the first has logprob 0 and counts as unscored)
    text,           ///< `text` (may be empty) and the tokens that made it
    finished,       ///< one choice is done: `reason`
    done,           ///< all choices are: `usage`; nothing follows
    failed,         ///< the request ends with `text` as message; nothing follows
  };
  Kind kind = Kind::text;
  int32_t choice = 0;
  std::string text;
  std::vector<TokenEvent> tokens;
  FinishReason reason = FinishReason::stop;
  Usage usage;
};

}  // namespace baleen
