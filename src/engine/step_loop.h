// The engine's thread: takes commands, plans, computes, samples, tells. Nobody else touches what it owns.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "decode/sampler.h"
#include "engine/engine.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "kernels/workspace.h"
#include "kv/page_pool.h"

namespace baleen {

/// How other threads talk to the engine's.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable news;                     // for the engine's thread
  std::condition_variable all_done;                 // for drain()
  std::vector<std::unique_ptr<Request>> submitted;  // not yet taken
  int64_t not_started = 0, open = 0;                // requests without a first step; without an end
  bool cancels = false;                             // some stream has been cancelled
  bool draining = false, abort = false, quit = false;
  EngineStats stats;  // of the last step; without the counts above
};

struct StepLoopParts {
  const LoadedModel* model;
  Compute compute;
  PagePool* pool;
  StepLimits limits;
  Mailbox* mailbox;
};

class StepLoop {
 public:
  explicit StepLoop(const StepLoopParts& parts);

  void run();  ///< until the mailbox says quit; every request has ended then
  double seconds_since_tick() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool take_commands();
  void accept(std::unique_ptr<Request> request);
  void cancel_where_asked();
  void step();
  void prepare(Sequence& sequence);
  void sample(const Plan& plan);
  void charge(const Plan& plan);
  void advance(const PlannedPart& part);
  void take_scores(const PlannedPart& part);
  void take_token(Sequence& sequence, Sample& sample);
  void emit_ready(Sequence& sequence);
  void finish(Sequence& sequence, FinishReason reason);
  void fail(Request& request, std::string message);
  void fail_all(const std::string& message);
  void retire_ended();
  void count_resources();
  void tick();

  const LoadedModel& model_;
  const Compute compute_;
  PagePool& pool_;
  Mailbox& mailbox_;
  Scheduler scheduler_;
  Workspace scratch_;
  Workspace logits_memory_;
  float* logits_;                  // [wanted, vocab rows]
  std::vector<Sampler> samplers_;  // one per thread
  struct Draw {
    Sequence* sequence;
    int32_t next_token;  // to score; -1: draw one
    Sample sample;
  };
  std::vector<Draw> draws_;  // by wanted row
  std::vector<std::unique_ptr<Request>> requests_;
  uint64_t arrivals_ = 0;
  EngineStats stats_;
  int64_t ended_ = 0;  // requests in requests_ that have had their last event
  Clock::time_point charged_until_;
  std::atomic<Clock::rep> tick_{0};
};

}  // namespace baleen
