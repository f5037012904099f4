// An exchange without a socket: collects the answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "server/http/exchange.h"

namespace baleen {

class FakeExchange final : public Exchange {
 public:
  explicit FakeExchange(HttpRequest request) : request_(std::move(request)) {}

  HttpRequest& request() override { return request_; }
  void respond(HttpResponse r) override {
    response = std::move(r);
    complete = true;
  }
  void start_stream(HttpResponse r) override { response = std::move(r); }
  void send(std::string_view event) override { events.emplace_back(event); }
  void end_stream() override { complete = true; }
  void on_closed(std::function<void()> closed) override { on_closed_ = std::move(closed); }
  bool closed() const override { return closed_; }
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    posted_.notify_one();
  }

  /// The test's thread takes the transport's place until `reached` holds.
  template <class Condition>
  void run_until(Condition reached) {
    while (!reached()) {
      std::unique_lock lock(mutex_);
      if (!posted_.wait_for(lock, std::chrono::seconds(20), [this] { return !work_.empty(); })) return;
      const auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
    }
  }
  void run() {
    run_until([this] { return complete; });
  }
  void client_leaves() {
    closed_ = true;
    if (const auto closed = std::exchange(on_closed_, nullptr)) closed();
  }
  bool is_watched() const { return on_closed_ != nullptr; }

  HttpResponse response;
  std::vector<std::string> events;
  bool complete = false;

 private:
  HttpRequest request_;
  std::function<void()> on_closed_;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> work_;
};

}  // namespace baleen
