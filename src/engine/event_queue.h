// The bounded queue between the engine's thread, which fills it, and the one reader of a request's events.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "engine/engine.h"

namespace baleen {

class EventQueue final : public EventStream {
 public:
  /// `capacity`: text events that may wait for the reader. `cancelled` tells the engine to look.
  EventQueue(size_t capacity, std::function<void()> cancelled);

  bool poll(GenerationEvent& event) override;
  bool wait(GenerationEvent& event) override;
  void on_event(std::function<void()> wake) override;
  void cancel() override;

  // The engine's side.
  /// False where the reader lags and the event is lost: the request must then end with `failed`. Only text
  /// events are counted; the few others always fit. Nothing may follow `done` or `failed`.
  bool push(GenerationEvent event);
  bool is_cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  bool take(GenerationEvent& event);

  const size_t capacity_;
  const std::function<void()> tell_engine_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<GenerationEvent> events_;
  bool ended_ = false;  // `done` or `failed` has been put in
  std::mutex
      wake_mutex_;  // held during the call, so that on_event returns only when the old function is out of use
  std::function<void()> wake_;
};

}  // namespace baleen
