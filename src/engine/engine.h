// Runs requests on one model: one thread owns all mutable state and repeats take, plan, forward, sample,
// emit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/generation_request.h"
#include "kv/page_pool.h"
#include "models/model.h"
#include "prompt/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace baleen {

struct EngineOptions {
  size_t kv_bytes = 0;  ///< 0: a quarter of the memory left after the weights, at most 2 GiB
  KvType kv_type = KvType::f16;
  int32_t context = 0;        ///< 0: the model's, as far as the pool goes
  int32_t step_tokens = 256;  ///< rows of one step at most
  int32_t queue = 1024;       ///< requests that may wait (contract: at least 512)
  int32_t choices = 16;
};

/// The events of one request, in order; bounded: a reader that lags is cancelled.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// The next event if there is one.
  virtual bool poll(GenerationEvent& event) = 0;
  /// Waits for the next event; false once the stream has ended.
  virtual bool wait(GenerationEvent& event) = 0;
  /// Called from the engine's thread whenever an event has been put in; set before the first poll.
  virtual void on_event(std::function<void()> wake) = 0;
  /// Idempotent; the stream then ends with a `failed` or `done` event.
  virtual void cancel() = 0;
};

enum class Refusal { none, queue_full, too_long, shutting_down, invalid };

struct Submission {
  std::shared_ptr<EventStream> events;  ///< null when refused
  Refusal refusal = Refusal::none;
  std::string message;
};

/// A loaded model with all that turns text into tokens and back.
struct LoadedModel {
  std::string id;  ///< file name without .gguf, or --model-name
  std::unique_ptr<Model> model;
  std::unique_ptr<Tokenizer> tokenizer;  ///< null for no_vocab
  std::unique_ptr<ChatTemplate> chat;    ///< null where the file has none
  uint64_t fingerprint = 0;
};

/// What the engine has done and holds, as of its last step.
struct EngineStats {
  int64_t waiting = 0;  ///< requests without a first step
  int64_t open = 0;     ///< requests without an end, waiting ones included
  int32_t running = 0;  ///< sequences that hold pages
  int32_t pages = 0, free_pages = 0;
  uint64_t steps = 0, preemptions = 0;
  uint64_t prefill_rows = 0, decode_rows = 0;  ///< recomputed rows count again
  double busy_seconds = 0;                     ///< all of it charged to requests
};

/// Runs requests on one model. Each accepted request ends in exactly one `done` or `failed` event.
class Engine {
 public:
  /// Takes the model; `compute` must outlive the engine, which is then its pool's one caller.
  /// usage where the pool would not hold one page, failed where there is no memory.
  static Result<std::unique_ptr<Engine>> start(LoadedModel model, const Compute& compute,
                                               const EngineOptions& options);
  virtual ~Engine() = default;

  /// Any thread. Refuses what can never fit; a max_tokens beyond the context ends there with reason `length`.
  virtual Submission submit(GenerationRequest request) = 0;
  virtual const LoadedModel& model() const = 0;
  virtual int32_t context() const = 0;  ///< tokens a sequence may have
  virtual int64_t pool_tokens() const = 0;
  virtual double seconds_since_tick() const = 0;  ///< health: the step loop lives while this is small
  /// "fp_…": changes with weights, build, KV type and whatever else changes bits.
  virtual std::string system_fingerprint() const = 0;
  virtual EngineStats stats() const = 0;
  /// No new work; returns when all is finished or, at the deadline, failed.
  virtual void drain(double seconds) = 0;
};

}  // namespace baleen
