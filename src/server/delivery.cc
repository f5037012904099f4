#include "server/delivery.h"

#include <atomic>

namespace baleen {
namespace {

class Delivery : public std::enable_shared_from_this<Delivery> {
 public:
  Delivery(std::shared_ptr<Exchange> exchange, std::vector<std::shared_ptr<EventStream>> streams,
           std::unique_ptr<Answer> answer)
      : exchange_(std::move(exchange)), streams_(std::move(streams)), answer_(std::move(answer)) {}

  ~Delivery() {
    for (const auto& stream : streams_) stream->cancel();
  }
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  /// On the transport's thread. Until the end the exchange keeps this alive, and this the exchange.
  void start() {
    if (exchange_->closed()) return cancel();
    exchange_->on_closed([self = shared_from_this()] { self->cancel(); });
    answer_->start(*exchange_);
    open_ = streams_.size();
    for (const auto& stream : streams_)
      stream->on_event([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->wake();
      });
    take_events();
  }

 private:
  /// On the engine's thread.
  void wake() {
    if (!scheduled_.exchange(true)) exchange_->post([self = shared_from_this()] { self->take_events(); });
  }

  void take_events() {
    scheduled_ = false;
    for (size_t i = 0; i < streams_.size(); ++i) {
      GenerationEvent event;
      while (!streams_.empty() && streams_[i]->poll(event)) take(i, event);
      if (streams_.empty()) return;
    }
  }

  void take(size_t prompt, const GenerationEvent& event) {
    switch (event.kind) {
      case GenerationEvent::Kind::failed:
        answer_->failed(*exchange_, event.text);
        return cancel();
      case GenerationEvent::Kind::done:
        add(event.usage);
        if (--open_ > 0) return;
        answer_->done(*exchange_, usage_);
        return end();
      default:
        answer_->event(*exchange_, prompt, event);
    }
  }

  void add(const Usage& usage) {
    usage_.prompt_tokens += usage.prompt_tokens;
    usage_.cached_tokens += usage.cached_tokens;
    usage_.completion_tokens += usage.completion_tokens;
  }

  void cancel() {
    for (const auto& stream : streams_) stream->cancel();
    end();
  }

  void end() {
    streams_.clear();
    exchange_->on_closed(nullptr);
  }

  std::shared_ptr<Exchange> exchange_;
  std::vector<std::shared_ptr<EventStream>> streams_;
  std::unique_ptr<Answer> answer_;
  Usage usage_;
  size_t open_ = 0;
  std::atomic<bool> scheduled_ = false;
};

}  // namespace

void deliver(std::shared_ptr<Exchange> exchange, std::vector<std::shared_ptr<EventStream>> streams,
             std::unique_ptr<Answer> answer) {
  Exchange& transport = *exchange;
  transport.post([delivery = std::make_shared<Delivery>(std::move(exchange), std::move(streams),
                                                        std::move(answer))] { delivery->start(); });
}

}  // namespace baleen
