// Runs requests on one model: one thread owns all mutable state and repeats take, plan, forward, sample, emit.
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
  size_t kv_bytes = 0;           ///< 0: a quarter of the memory left after the weights, at most 2 GiB
  KvType kv_type = KvType::f16;
  int32_t context = 0;           ///< 0: the model's, as far as the pool goes
  int32_t step_tokens = 256;     ///< rows of one step at most
  int32_t queue = 1024;          ///< requests that may wait (contract: at least 512)
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
  std::unique_ptr<Tokenizer> tokenizer;      ///< null for no_vocab
  std::unique_ptr<ChatTemplate> chat;        ///< null where the file has none
  uint64_t fingerprint = 0;
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> start(LoadedModel model, const Compute& compute, const EngineOptions& options);
  virtual ~Engine() = default;

  virtual Submission submit(GenerationRequest request) = 0;  ///< any thread
  virtual const LoadedModel& model() const = 0;
  virtual int32_t context() const = 0;    ///< tokens a sequence may have
  virtual int64_t pool_tokens() const = 0;
  virtual double seconds_since_tick() const = 0;  ///< health: the step loop lives while this is small
  /// "fp_…": changes with weights, build, KV type and whatever else changes bits.
  virtual std::string system_fingerprint() const = 0;
  /// No new work; returns when all is finished or, at the deadline, failed.
  virtual void drain(double seconds) = 0;
};

}  // namespace baleen
