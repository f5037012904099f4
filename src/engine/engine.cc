#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/available_memory.h"
#include "base/check.h"
#include "engine/event_queue.h"
#include "engine/step_loop.h"

namespace baleen {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
// The default pool (contract.md): a quarter of what is left after the weights, at most 2 GiB.
constexpr size_t kMostDefaultPool = 2048 * kMiB;
// Logits of one step: 64 MiB are 341 rows of SmolLM2's vocabulary, 130 of Llama 3's.
constexpr size_t kLogitsBytes = 64 * kMiB;
// Text events a reader may lag behind, per choice: seconds of any model's output.
constexpr size_t kWaitingEvents = 1024;

size_t pool_bytes(const EngineOptions& options) {
  if (options.kv_bytes > 0) return options.kv_bytes;
  return std::min(kMostDefaultPool, available_memory().value_or(4 * kMostDefaultPool) / 4);
}

StepLimits step_limits(const EngineOptions& options, int32_t vocab_rows) {
  const auto fitting = static_cast<int32_t>(kLogitsBytes / sizeof(float) / static_cast<size_t>(vocab_rows));
  return {.rows = options.step_tokens, .wanted = std::clamp(fitting, 1, options.step_tokens)};
}

std::string fingerprint_of(const LoadedModel& model, KvType kv_type) {
  uint64_t bits = mix_bits(model.fingerprint);
  for (unsigned char byte : std::string_view(BALEEN_VERSION)) bits = mix_bits(bits + byte + 1);
  bits = mix_bits(bits + static_cast<uint64_t>(kv_type) + 1);
  return fmt::format("fp_{:012x}", bits >> 16);
}

class ThreadedEngine final : public Engine {
 public:
  ThreadedEngine(LoadedModel model, const Compute& compute, const EngineOptions& options, PagePool pool)
      : model_(std::move(model)),
        options_(options),
        pool_(std::move(pool)),
        pool_tokens_(int64_t{pool_.pages()} * kPageTokens),
        context_(static_cast<int32_t>(std::min<int64_t>(wanted_context(), pool_tokens_))),
        loop_({.model = &model_,
               .compute = compute,
               .pool = &pool_,
               .limits = step_limits(options, model_.model->params().vocab_rows),
               .mailbox = mailbox_.get()}),
        thread_([this] { loop_.run(); }) {}

  ~ThreadedEngine() override {
    {
      std::scoped_lock lock(mailbox_->mutex);
      mailbox_->draining = mailbox_->quit = true;
    }
    mailbox_->news.notify_one();
    thread_.join();
  }

  Submission submit(GenerationRequest request) override;
  const LoadedModel& model() const override { return model_; }
  int32_t context() const override { return context_; }
  int64_t pool_tokens() const override { return pool_tokens_; }
  double seconds_since_tick() const override { return loop_.seconds_since_tick(); }
  std::string system_fingerprint() const override { return fingerprint_of(model_, options_.kv_type); }
  EngineStats stats() const override;
  void drain(double seconds) override;

 private:
  int32_t wanted_context() const {
    const int32_t trained = model_.model->params().context;
    return options_.context > 0 ? std::min(options_.context, trained) : trained;
  }
  Submission check(const GenerationRequest& request) const;
  std::unique_ptr<Request> make_request(GenerationRequest asked) const;

  const LoadedModel model_;
  const EngineOptions options_;
  PagePool pool_;
  const int64_t pool_tokens_;
  const int32_t context_;
  // Shared with the event streams, which may outlive the engine.
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  StepLoop loop_;
  std::thread thread_;
};

Submission refused(Refusal refusal, std::string message) {
  return {.events = nullptr, .refusal = refusal, .message = std::move(message)};
}

Submission ThreadedEngine::check(const GenerationRequest& request) const {
  const int32_t rows = model_.model->params().vocab_rows;
  const int32_t tokens = model_.tokenizer ? std::min(rows, model_.tokenizer->size()) : rows;
  if (request.prompt.empty()) return refused(Refusal::invalid, "the prompt has no tokens");
  for (int32_t id : request.prompt)
    if (id < 0 || id >= rows)
      return refused(Refusal::invalid, fmt::format("token {} is not in the vocabulary of {}", id, rows));
  for (auto [id, bias] : request.sampling.logit_bias)
    if (id < 0 || id >= tokens)
      return refused(Refusal::invalid,
                     fmt::format("logit_bias: token {} is not in the vocabulary of {}", id, tokens));
  if (request.choices < 1 || request.choices > options_.choices)
    return refused(Refusal::invalid, fmt::format("n must be from 1 to {}", options_.choices));
  const size_t room = request.max_tokens == 0 ? 0 : 1;
  if (request.prompt.size() + room > static_cast<size_t>(context_))
    return refused(Refusal::too_long,
                   fmt::format("the prompt has {} tokens; with the answer's first that is more than "
                               "the {} that fit in the context",
                               request.prompt.size(), context_));
  return {};
}

std::unique_ptr<Request> ThreadedEngine::make_request(GenerationRequest asked) const {
  auto request = std::make_unique<Request>();
  const auto prompt = static_cast<int32_t>(asked.prompt.size());
  const int32_t room = context_ - prompt;
  const int32_t generated = asked.max_tokens < 0 ? room : std::min(asked.max_tokens, room);
  auto tell_engine = [mailbox = mailbox_] {
    {
      std::scoped_lock lock(mailbox->mutex);
      mailbox->cancels = true;
    }
    mailbox->news.notify_one();
  };
  request->events =
      std::make_shared<EventQueue>(kWaitingEvents * static_cast<size_t>(asked.choices), tell_engine);
  request->unfinished = asked.choices;
  request->submitted_at = Request::Clock::now();
  request->usage.prompt_tokens = prompt;
  request->sequences.resize(static_cast<size_t>(asked.choices));
  for (int32_t choice = 0; choice < asked.choices; ++choice) {
    Sequence& sequence = request->sequences[static_cast<size_t>(choice)];
    sequence.request = request.get();
    sequence.choice = choice;
    sequence.most_tokens = prompt + generated;
  }
  request->asked = std::move(asked);
  return request;
}

Submission ThreadedEngine::submit(GenerationRequest asked) {
  Submission submission = check(asked);
  if (submission.refusal != Refusal::none) return submission;
  std::unique_ptr<Request> request = make_request(std::move(asked));
  submission.events = request->events;
  {
    std::scoped_lock lock(mailbox_->mutex);
    if (mailbox_->draining) return refused(Refusal::shutting_down, "the server is shutting down");
    if (mailbox_->not_started >= options_.queue)
      return refused(Refusal::queue_full, fmt::format("{} requests wait already", mailbox_->not_started));
    ++mailbox_->not_started;
    ++mailbox_->open;
    mailbox_->submitted.push_back(std::move(request));
  }
  mailbox_->news.notify_one();
  return submission;
}

EngineStats ThreadedEngine::stats() const {
  std::scoped_lock lock(mailbox_->mutex);
  EngineStats stats = mailbox_->stats;
  stats.waiting = mailbox_->not_started;
  stats.open = mailbox_->open;
  return stats;
}

void ThreadedEngine::drain(double seconds) {
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->draining = true;
  auto done = [&] { return mailbox_->open == 0; };
  if (mailbox_->all_done.wait_for(lock, std::chrono::duration<double>(seconds), done)) return;
  mailbox_->abort = true;
  mailbox_->news.notify_one();
  mailbox_->all_done.wait(lock, done);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(LoadedModel model, const Compute& compute,
                                              const EngineOptions& options) {
  CHECK(model.model != nullptr && options.step_tokens > 0 && options.queue > 0 && options.choices > 0);
  const KvLayout layout = model.model->kv_layout(options.kv_type);
  const size_t bytes = pool_bytes(options);
  if (bytes < layout.page_bytes())
    return wrong_usage(fmt::format("--kv-memory: {} bytes; one page of {} tokens takes {}", bytes,
                                   kPageTokens, layout.page_bytes()));
  auto pool = PagePool::make(layout, bytes);
  if (!pool) return error_of(pool);
  return std::make_unique<ThreadedEngine>(std::move(model), compute, options, std::move(*pool));
}

}  // namespace baleen
