#include "engine/event_queue.h"

#include <utility>

#include "base/check.h"

namespace baleen {

EventQueue::EventQueue(size_t capacity, std::function<void()> cancelled)
    : capacity_(capacity), tell_engine_(std::move(cancelled)) {}

bool EventQueue::take(GenerationEvent& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

bool EventQueue::poll(GenerationEvent& event) {
  std::scoped_lock lock(mutex_);
  return take(event);
}

bool EventQueue::wait(GenerationEvent& event) {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [&] { return !events_.empty() || ended_; });
  return take(event);
}

void EventQueue::on_event(std::function<void()> wake) {
  std::scoped_lock wake_lock(wake_mutex_);
  wake_ = std::move(wake);
  bool waiting = false;
  {
    std::scoped_lock lock(mutex_);
    waiting = !events_.empty();
  }
  if (waiting && wake_) wake_();
}

void EventQueue::cancel() {
  if (!cancelled_.exchange(true)) tell_engine_();
}

bool EventQueue::push(GenerationEvent event) {
  {
    std::scoped_lock lock(mutex_);
    CHECK(!ended_);
    if (event.kind == GenerationEvent::Kind::text && events_.size() >= capacity_) return false;
    ended_ = event.kind == GenerationEvent::Kind::done || event.kind == GenerationEvent::Kind::failed;
    events_.push_back(std::move(event));
  }
  filled_.notify_one();
  std::scoped_lock wake_lock(wake_mutex_);
  if (wake_) wake_();
  return true;
}

}  // namespace baleen
