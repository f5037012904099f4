// A request and its choices while the engine works on them. Touched by the engine's thread alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "decode/sampler.h"
#include "engine/choice_text.h"
#include "engine/event_queue.h"
#include "engine/generation_request.h"
#include "kv/page_pool.h"

namespace baleen {

struct Request;

/// One choice of a request: tokens of which the first `pages.tokens` are in the cache. A step computes some
/// of the others; when it reaches the last one, its logits give the next token. So a prompt, a decode step
/// and the recomputation after a preemption are one thing.
struct Sequence {
  Request* request = nullptr;
  int32_t choice = 0;
  std::vector<int32_t>
      tokens;               ///< prompt, then what was generated; empty until the sequence is first admitted
  int32_t most_tokens = 0;  ///< tokens.size() at which the choice ends
  PageTable pages;
  std::optional<ChoiceText> text;
  std::optional<TokenCounts> counts;  ///< where penalties need them
  bool finished = false;

  int32_t size() const { return static_cast<int32_t>(tokens.size()); }
  int32_t to_compute() const { return size() - pages.tokens; }
  bool decodes() const { return to_compute() == 1 && pages.tokens > 0; }
};

struct Request {
  using Clock = std::chrono::steady_clock;

  GenerationRequest asked;
  std::shared_ptr<EventQueue> events;
  uint64_t arrival = 0;             ///< first come, first served
  std::vector<Sequence> sequences;  ///< by choice
  int32_t unfinished = 0;
  Clock::time_point submitted_at;
  bool started = false;
  Usage usage;
  std::vector<TokenEvent> prompt_scores;  ///< score_prompt: by the first choice; grows to the prompt's length

  int32_t prompt_size() const { return static_cast<int32_t>(asked.prompt.size()); }
  bool scores_missing() const { return asked.score_prompt && prompt_scores.size() < asked.prompt.size(); }
};

}  // namespace baleen
