#include "engine/step_loop.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace baleen {
namespace {

using Seconds = std::chrono::duration<double>;
using Kind = GenerationEvent::Kind;

// An idle engine looks around this often, so that its tick says it lives.
constexpr auto kIdleTick = std::chrono::milliseconds(250);

int32_t vocabulary_tokens(const LoadedModel& model) {
  return model.tokenizer ? model.tokenizer->size() : model.model->params().vocab_rows;
}

bool ends_generation(const LoadedModel& model, int32_t token) {
  if (!model.tokenizer) return false;
  const std::vector<int32_t>& ends = model.tokenizer->end_of_generation();
  return std::ranges::find(ends, token) != ends.end();
}

GenerationEvent event_of(Kind kind, int32_t choice = 0) {
  GenerationEvent event;
  event.kind = kind;
  event.choice = choice;
  return event;
}

}  // namespace

StepLoop::StepLoop(const StepLoopParts& parts)
    : model_(*parts.model),
      compute_(parts.compute),
      pool_(*parts.pool),
      mailbox_(*parts.mailbox),
      scheduler_(pool_, parts.limits),
      scratch_(model_.model->scratch_bytes(parts.limits.rows, parts.limits.wanted)),
      logits_memory_(static_cast<size_t>(parts.limits.wanted) *
                     static_cast<size_t>(model_.model->params().vocab_rows) * sizeof(float)) {
  const int32_t vocab_rows = model_.model->params().vocab_rows;
  logits_ = logits_memory_.take<float>(int64_t{parts.limits.wanted} * vocab_rows);
  samplers_.reserve(static_cast<size_t>(compute_.pool->size()));
  for (int thread = 0; thread < compute_.pool->size(); ++thread)
    samplers_.emplace_back(vocab_rows, vocabulary_tokens(model_));
  draws_.reserve(static_cast<size_t>(parts.limits.wanted));
  count_resources();
  tick();
}

void StepLoop::run() {
  while (take_commands()) {
    step();
    retire_ended();
  }
}

void StepLoop::tick() { tick_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }

double StepLoop::seconds_since_tick() const {
  const Clock::time_point last{Clock::duration(tick_.load(std::memory_order_relaxed))};
  return std::max(0.0, Seconds(Clock::now() - last).count());
}

/// Waits while there is nothing to do. False: the engine ends.
bool StepLoop::take_commands() {
  std::vector<std::unique_ptr<Request>> submitted;
  bool cancels = false, abort = false, quit = false;
  {
    std::unique_lock lock(mailbox_.mutex);
    mailbox_.stats = stats_;
    auto anything = [&] {
      return !mailbox_.submitted.empty() || mailbox_.cancels || mailbox_.quit ||
             (mailbox_.abort && !requests_.empty());
    };
    const bool idle = scheduler_.idle();
    while (!mailbox_.news.wait_for(lock, kIdleTick, [&] { return anything() || !idle; })) tick();
    submitted = std::exchange(mailbox_.submitted, {});
    cancels = std::exchange(mailbox_.cancels, false);
    abort = mailbox_.abort;
    quit = mailbox_.quit;
    if (idle) charged_until_ = Clock::now();
  }
  tick();
  for (std::unique_ptr<Request>& request : submitted) accept(std::move(request));
  if (cancels) cancel_where_asked();
  if (abort || quit) fail_all("the server is shutting down");
  retire_ended();
  return !quit;
}

void StepLoop::accept(std::unique_ptr<Request> request) {
  request->arrival = arrivals_++;
  for (Sequence& sequence : request->sequences) scheduler_.add(sequence);
  requests_.push_back(std::move(request));
}

void StepLoop::cancel_where_asked() {
  for (const std::unique_ptr<Request>& request : requests_) {
    if (!request->events->is_cancelled()) continue;
    for (Sequence& sequence : request->sequences)
      if (!sequence.finished) finish(sequence, FinishReason::cancelled);
  }
}

void StepLoop::step() {
  const Plan& plan = scheduler_.plan();
  if (plan.empty()) return;
  scratch_.back_to(0);
  model_.model->forward(plan.step(), pool_, scratch_, logits_);
  sample(plan);
  charge(plan);
  for (const PlannedPart& part : plan.parts) advance(part);
  count_resources();
}

/// What only a sequence that has come to run needs, so that the many that wait stay small.
void StepLoop::prepare(Sequence& sequence) {
  if (sequence.text) return;
  const GenerationRequest& asked = sequence.request->asked;
  sequence.text.emplace(model_.tokenizer.get(), asked);
  if (asked.sampling.has_penalties()) sequence.counts.emplace(asked.prompt);
}

/// Draws or scores a token for every wanted row, rows shared among the threads.
void StepLoop::sample(const Plan& plan) {
  draws_.clear();
  for (const PlannedPart& part : plan.parts) {
    Sequence& sequence = *part.sequence;
    prepare(sequence);
    for (int32_t i = part.wanted; i > 0; --i) {
      const int32_t next = sequence.pages.tokens + part.rows - i + 1;
      const int32_t known = next < sequence.size() ? sequence.tokens[static_cast<size_t>(next)] : -1;
      draws_.push_back({&sequence, known, {}});
    }
  }
  const auto vocab_rows = static_cast<size_t>(model_.model->params().vocab_rows);
  compute_.pool->parallel_for(static_cast<int64_t>(draws_.size()), [&](int64_t index, int thread) {
    Draw& draw = draws_[static_cast<size_t>(index)];
    const GenerationRequest& asked = draw.sequence->request->asked;
    const std::span<const float> logits(logits_ + static_cast<size_t>(index) * vocab_rows, vocab_rows);
    Sampler& sampler = samplers_[static_cast<size_t>(thread)];
    if (draw.next_token >= 0) {
      draw.sample = sampler.score(logits, draw.next_token, asked.top_logprobs);
      return;
    }
    const TokenCounts* counts = draw.sequence->counts ? &*draw.sequence->counts : nullptr;
    draw.sample =
        sampler.sample(logits, {.params = &asked.sampling,
                                .counts = counts,
                                .key = {asked.sampling.seed, draw.sequence->choice, draw.sequence->size()},
                                .logprobs = asked.logprobs ? asked.top_logprobs : -1});
  });
}

/// Shares the time since the last charge among the rows by the multiply-adds that each caused.
void StepLoop::charge(const Plan& plan) {
  const ModelCost cost = model_.model->cost();
  const double row_work = std::max<double>(1, static_cast<double>(cost.macs_per_token));
  const auto wanted_work = static_cast<double>(cost.macs_per_wanted_row);
  const double all = row_work * static_cast<double>(plan.tokens.size()) +
                     wanted_work * static_cast<double>(plan.wanted_rows.size());
  const Clock::time_point now = Clock::now();
  const double elapsed = Seconds(now - charged_until_).count(), per_work = elapsed / all;
  charged_until_ = now;
  ++stats_.steps;
  stats_.busy_seconds += elapsed;
  for (const PlannedPart& part : plan.parts) {
    Request& request = *part.sequence->request;
    const bool prefill = part.sequence->pages.tokens < request.prompt_size();
    const double seconds = per_work * (row_work * part.rows + wanted_work * part.wanted);
    (prefill ? request.usage.prefill_seconds : request.usage.decode_seconds) += seconds;
    (prefill ? stats_.prefill_rows : stats_.decode_rows) += static_cast<uint64_t>(part.rows);
  }
}

/// What a step brought to one sequence.
void StepLoop::advance(const PlannedPart& part) {
  Sequence& sequence = *part.sequence;
  Request& request = *sequence.request;
  if (sequence.finished) return;  // the request has failed in this very step
  if (!request.started) {
    request.started = true;
    request.usage.queue_seconds = Seconds(Clock::now() - request.submitted_at).count();
    std::scoped_lock lock(mailbox_.mutex);
    --mailbox_.not_started;
  }
  if (request.scores_missing()) take_scores(part);
  sequence.pages.tokens += part.rows;
  if (sequence.to_compute() > 0) return;
  if (request.asked.max_tokens == 0) return finish(sequence, FinishReason::length);
  take_token(sequence, draws_[static_cast<size_t>(part.first_wanted + part.wanted - 1)].sample);
}

void StepLoop::take_scores(const PlannedPart& part) {
  Request& request = *part.sequence->request;
  std::vector<TokenEvent>& scores = request.prompt_scores;
  if (scores.empty()) {
    scores.reserve(request.asked.prompt.size());
    scores.push_back({request.asked.prompt[0], 0, {}});
  }
  for (int32_t i = part.first_wanted; i < part.first_wanted + part.wanted; ++i) {
    Draw& draw = draws_[static_cast<size_t>(i)];
    if (draw.next_token < 0) break;
    scores.push_back({draw.next_token, draw.sample.chosen.logprob, std::move(draw.sample.top)});
  }
  if (request.scores_missing()) return;
  GenerationEvent event = event_of(Kind::prompt_scored);
  event.tokens = scores;
  request.events->push(std::move(event));
}

void StepLoop::take_token(Sequence& sequence, Sample& sample) {
  Request& request = *sequence.request;
  const int32_t token = sample.chosen.token;
  if (token < 0) return fail(request, "the model's output has no usable number in it");
  ++request.usage.completion_tokens;
  if (!request.asked.ignore_eos && ends_generation(model_, token))
    return finish(sequence, FinishReason::stop);
  sequence.tokens.push_back(token);
  if (sequence.counts) sequence.counts->add(token);
  const bool stopped = sequence.text->push({token, sample.chosen.logprob, std::move(sample.top)});
  if (stopped) return finish(sequence, FinishReason::stop);
  if (sequence.size() >= sequence.most_tokens) return finish(sequence, FinishReason::length);
  emit_ready(sequence);
}

void StepLoop::emit_ready(Sequence& sequence) {
  ReadyText ready = sequence.text->take_ready();
  if (ready.empty()) return;
  GenerationEvent event = event_of(Kind::text, sequence.choice);
  event.text = std::move(ready.text);
  event.tokens = std::move(ready.tokens);
  if (!sequence.request->events->push(std::move(event)))
    fail(*sequence.request, "the answer was not read as fast as it was written");
}

/// Ends one choice, and with the last one the request.
void StepLoop::finish(Sequence& sequence, FinishReason reason) {
  Request& request = *sequence.request;
  if (reason != FinishReason::cancelled) {
    // What was held back may still complete a stop string.
    if (sequence.text->finish() && reason == FinishReason::length) reason = FinishReason::stop;
    emit_ready(sequence);
    if (sequence.finished) return;  // failed: nobody reads
  }
  sequence.finished = true;
  scheduler_.remove(sequence);
  GenerationEvent event = event_of(Kind::finished, sequence.choice);
  event.reason = reason;
  request.events->push(std::move(event));
  if (--request.unfinished > 0) return;
  ++ended_;
  GenerationEvent done = event_of(Kind::done);
  done.usage = request.usage;
  request.events->push(std::move(done));
}

void StepLoop::fail(Request& request, std::string message) {
  for (Sequence& sequence : request.sequences) {
    if (sequence.finished) continue;
    sequence.finished = true;
    scheduler_.remove(sequence);
  }
  request.unfinished = 0;
  ++ended_;
  GenerationEvent event = event_of(Kind::failed);
  event.text = std::move(message);
  event.reason = FinishReason::failed;
  event.usage = request.usage;
  request.events->push(std::move(event));
}

void StepLoop::fail_all(const std::string& message) {
  for (const std::unique_ptr<Request>& request : requests_)
    if (request->unfinished > 0) fail(*request, message);
}

void StepLoop::count_resources() {
  stats_.running = static_cast<int32_t>(scheduler_.running());
  stats_.preemptions = scheduler_.preemptions();
  stats_.pages = pool_.pages();
  stats_.free_pages = pool_.free_pages();
}

void StepLoop::retire_ended() {
  if (ended_ == 0) return;
  int64_t never_started = 0;
  std::erase_if(requests_, [&](const std::unique_ptr<Request>& request) {
    if (request->unfinished > 0) return false;
    never_started += request->started ? 0 : 1;
    return true;
  });
  count_resources();
  std::scoped_lock lock(mailbox_.mutex);
  mailbox_.stats = stats_;
  mailbox_.open -= std::exchange(ended_, 0);
  mailbox_.not_started -= never_started;
  if (mailbox_.open == 0) mailbox_.all_done.notify_all();
}

}  // namespace baleen
