#include "engine/engine.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "engine/toy_model.h"

namespace baleen {
namespace {

using Kind = GenerationEvent::Kind;

/// An engine on the toy model, without a vocabulary: texts are empty, tokens tell all.
struct ToyEngine {
  explicit ToyEngine(const EngineOptions& options = {}, const ToyShape& toy = {}, int threads = 1)
      : shape(toy), pool(threads) {
    LoadedModel loaded;
    loaded.id = "toy";
    loaded.model = std::make_unique<ToyModel>(toy);
    auto started = Engine::start(std::move(loaded), {nullptr, &pool}, options);
    EXPECT_TRUE(started.has_value());
    engine = std::move(*started);
  }

  ToyShape shape;
  ThreadPool pool;
  std::unique_ptr<Engine> engine;
};

size_t page_bytes() { return ToyModel({}).kv_layout(KvType::f32).page_bytes(); }

/// All that a request's stream said, checked for order as it comes.
struct Outcome {
  std::map<int32_t, std::vector<TokenEvent>> tokens;
  std::map<int32_t, FinishReason> reasons;
  std::vector<TokenEvent> prompt;
  Usage usage;
  std::string failure;
  int ends = 0;

  void add(const GenerationEvent& event) {
    EXPECT_EQ(ends, 0) << "nothing follows the end";
    EXPECT_EQ(reasons.count(event.choice) != 0 && event.kind == Kind::text, false) << "text after finished";
    switch (event.kind) {
      case Kind::prompt_scored:
        EXPECT_TRUE(prompt.empty() && tokens.empty());
        prompt = event.tokens;
        break;
      case Kind::text:
        tokens[event.choice].insert(tokens[event.choice].end(), event.tokens.begin(), event.tokens.end());
        break;
      case Kind::finished:
        EXPECT_TRUE(reasons.emplace(event.choice, event.reason).second);
        break;
      case Kind::done:
        ++ends;
        break;
      case Kind::failed:
        ++ends;
        failure = event.text;
        EXPECT_FALSE(failure.empty());
        break;
    }
    usage = event.usage;
  }
};

Outcome read_all(EventStream& events) {
  Outcome outcome;
  GenerationEvent event;
  while (events.wait(event)) outcome.add(event);
  EXPECT_EQ(outcome.ends, 1);
  EXPECT_FALSE(events.poll(event));
  return outcome;
}

Outcome answer(Engine& engine, GenerationRequest request) {
  Submission submission = engine.submit(std::move(request));
  EXPECT_EQ(submission.refusal, Refusal::none) << submission.message;
  return submission.events ? read_all(*submission.events) : Outcome{};
}

std::vector<int32_t> random_prompt(std::mt19937& random, int32_t longest) {
  std::vector<int32_t> prompt(1 + random() % static_cast<uint32_t>(longest));
  for (int32_t& token : prompt) token = static_cast<int32_t>(random() % 99);
  return prompt;
}

GenerationRequest random_request(std::mt19937& random, int32_t longest) {
  GenerationRequest request;
  request.prompt = random_prompt(random, longest);
  request.max_tokens = static_cast<int32_t>(random() % 60);
  request.choices = random() % 4 == 0 ? 1 + static_cast<int32_t>(random() % 4) : 1;
  request.sampling.seed = random();
  request.sampling.temperature = random() % 2 == 0 ? 0 : 0.8F;
  if (random() % 3 == 0) request.sampling.top_p = 0.9F;
  if (random() % 4 == 0) request.sampling.frequency_penalty = 0.5F;
  if (random() % 4 == 0) request.sampling.repetition_penalty = 1.2F;
  request.sampling.logit_bias = {{99, -100.0F}, {100, -100.0F}};
  request.logprobs = true;
  request.score_prompt = random() % 4 == 0;
  return request;
}

/// The outcome holds the oracle's tokens and logprobs, up to where it was cut short.
void expect_oracle(const ToyShape& shape, const GenerationRequest& request, const Outcome& outcome) {
  for (const auto& [choice, tokens] : outcome.tokens) {
    const auto expected =
        toy_answer(shape, request.prompt, request.sampling, choice, static_cast<int32_t>(tokens.size()));
    for (size_t i = 0; i < tokens.size(); ++i) {
      ASSERT_EQ(tokens[i].token, expected[i].token) << "choice " << choice << " token " << i;
      ASSERT_EQ(tokens[i].logprob, expected[i].logprob);
    }
  }
}

TEST(Engine, AnswersAsTheModelAlone) {
  ToyEngine toy;
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    const GenerationRequest request = random_request(random, 150);
    const Outcome outcome = answer(*toy.engine, request);
    expect_oracle(toy.shape, request, outcome);
    ASSERT_EQ(outcome.reasons.size(), static_cast<size_t>(request.choices));
    for (const auto& [choice, reason] : outcome.reasons) EXPECT_EQ(reason, FinishReason::length);
    for (const auto& [choice, tokens] : outcome.tokens)
      EXPECT_EQ(tokens.size(), static_cast<size_t>(request.max_tokens));
    EXPECT_EQ(outcome.usage.prompt_tokens, static_cast<int32_t>(request.prompt.size()));
    EXPECT_EQ(outcome.usage.completion_tokens, request.max_tokens * request.choices);
    EXPECT_EQ(outcome.prompt.size(), request.score_prompt ? request.prompt.size() : 0);
  }
}

TEST(Engine, ScoringLaterGivesTheDigitsOfTheAnswer) {
  ToyEngine toy({.step_tokens = 16});
  GenerationRequest request;
  request.prompt = {5, 6, 7};
  request.max_tokens = 50;
  request.sampling.temperature = 0;
  request.sampling.logit_bias = {{99, -100.0F}};
  request.logprobs = true;
  request.top_logprobs = 5;
  const Outcome generated = answer(*toy.engine, request);
  const std::vector<TokenEvent>& tokens = generated.tokens.at(0);
  ASSERT_EQ(tokens.size(), 50U);

  for (const TokenEvent& token : tokens) request.prompt.push_back(token.token);
  request.max_tokens = 0;
  request.score_prompt = true;
  const Outcome scored = answer(*toy.engine, request);
  EXPECT_EQ(scored.reasons.at(0), FinishReason::length);
  ASSERT_EQ(scored.prompt.size(), 53U);
  EXPECT_TRUE(scored.prompt[0].top.empty());
  for (size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(scored.prompt[i + 3].token, tokens[i].token);
    EXPECT_EQ(scored.prompt[i + 3].logprob, tokens[i].logprob);
    ASSERT_EQ(scored.prompt[i + 3].top.size(), 5U);
    for (size_t j = 0; j < 5; ++j) EXPECT_EQ(scored.prompt[i + 3].top[j].logprob, tokens[i].top[j].logprob);
  }
}

TEST(Engine, APromptOfOneTokenIsScoredToo) {
  ToyEngine toy;
  GenerationRequest request;
  request.prompt = {5};
  request.max_tokens = 1;
  request.score_prompt = true;
  const Outcome outcome = answer(*toy.engine, request);
  EXPECT_EQ(outcome.prompt.size(), 1U);
  EXPECT_EQ(outcome.usage.completion_tokens, 1);
}

TEST(Engine, RefusesWhatCanNeverRun) {
  ToyEngine toy({.kv_bytes = 2 * page_bytes(), .choices = 4});
  EXPECT_EQ(toy.engine->context(), 64);
  EXPECT_EQ(toy.engine->pool_tokens(), 64);
  auto refusal = [&](auto change) {
    GenerationRequest request;
    request.prompt.assign(10, 1);
    change(request);
    const Submission submission = toy.engine->submit(std::move(request));
    EXPECT_EQ(submission.events == nullptr, submission.refusal != Refusal::none);
    if (submission.events) read_all(*submission.events);
    return submission.refusal;
  };
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt.assign(63, 1); }), Refusal::none);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt.assign(64, 1); }), Refusal::too_long);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt.assign(64, 1), r.max_tokens = 0; }), Refusal::none);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt.assign(65, 1), r.max_tokens = 0; }),
            Refusal::too_long);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt.clear(); }), Refusal::invalid);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt[3] = -1; }), Refusal::invalid);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.prompt[3] = 101; }), Refusal::invalid);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.choices = 5; }), Refusal::invalid);
  EXPECT_EQ(refusal([](GenerationRequest& r) { r.sampling.logit_bias = {{101, 1.0F}}; }), Refusal::invalid);
}

TEST(Engine, WithoutMaxTokensTheContextIsFilled) {
  ToyEngine toy({.kv_bytes = 2 * page_bytes()});
  GenerationRequest request;
  request.prompt.assign(10, 1);
  request.sampling.logit_bias = {{99, -100.0F}};
  const Outcome outcome = answer(*toy.engine, request);
  EXPECT_EQ(outcome.tokens.at(0).size(), 54U);
  EXPECT_EQ(outcome.reasons.at(0), FinishReason::length);
}

TEST(Engine, AModelWithoutUsableNumbersFailsTheRequestAlone) {
  ToyEngine toy;
  GenerationRequest broken, sound;
  broken.prompt = {1, 2, ToyModel::kBrokenToken};
  broken.choices = 3;
  sound.prompt = {1, 2, 3};
  sound.max_tokens = 5;
  sound.sampling.logit_bias = {{99, -100.0F}};
  Submission first = toy.engine->submit(broken), second = toy.engine->submit(sound);
  EXPECT_NE(read_all(*first.events).failure, "");
  EXPECT_EQ(read_all(*second.events).tokens.at(0).size(), 5U);
}

TEST(Engine, CancelEndsEveryChoice) {
  ToyEngine toy({}, {.vocab_rows = 101, .context = 100'000});
  GenerationRequest request;
  request.prompt = {1};
  request.choices = 3;
  request.sampling.logit_bias = {{99, -100.0F}};
  Submission submission = toy.engine->submit(request);
  GenerationEvent event;
  ASSERT_TRUE(submission.events->wait(event));
  submission.events->cancel();
  submission.events->cancel();
  const Outcome outcome = read_all(*submission.events);
  if (outcome.failure.empty()) {  // else the toy was faster than this reader
    ASSERT_EQ(outcome.reasons.size(), 3U);
    for (const auto& [choice, reason] : outcome.reasons) EXPECT_EQ(reason, FinishReason::cancelled);
  }
  submission.events->cancel();  // after the end: nothing happens
}

TEST(Engine, AReaderThatLagsIsCutOff) {
  ToyEngine toy({}, {.vocab_rows = 101, .context = 3000});
  GenerationRequest request;
  request.prompt = {1};
  request.max_tokens = 2500;
  request.sampling.logit_bias = {{99, -100.0F}};
  Submission lagging = toy.engine->submit(request);
  while (toy.engine->stats().open > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Outcome outcome = read_all(*lagging.events);
  EXPECT_NE(outcome.failure, "");
  EXPECT_EQ(outcome.tokens.at(0).size(), 1024U);
}

TEST(Engine, WakesTheReaderThatAskedForIt) {
  ToyEngine toy;
  GenerationRequest request;
  request.prompt = {1, 2};
  request.max_tokens = 20;
  request.sampling.logit_bias = {{99, -100.0F}};
  Submission submission = toy.engine->submit(request);
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0;
  submission.events->on_event([&] {
    std::scoped_lock lock(mutex);
    ++wakes;
    woken.notify_one();
  });
  Outcome outcome;
  GenerationEvent event;
  while (outcome.ends == 0) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(woken.wait_for(lock, std::chrono::seconds(20), [&] { return wakes > 0; }));
    wakes = 0;
    lock.unlock();
    while (submission.events->poll(event)) outcome.add(event);
  }
  submission.events->on_event(nullptr);
  EXPECT_EQ(outcome.tokens.at(0).size(), 20U);
}

TEST(Engine, DrainLetsWorkFinishAndRefusesNewWork) {
  ToyEngine toy;
  GenerationRequest request;
  request.prompt = {1, 2};
  request.max_tokens = 100;
  request.sampling.logit_bias = {{99, -100.0F}};
  Submission running = toy.engine->submit(request);
  toy.engine->drain(30);
  EXPECT_EQ(toy.engine->submit(request).refusal, Refusal::shutting_down);
  EXPECT_EQ(read_all(*running.events).reasons.at(0), FinishReason::length);
}

TEST(Engine, DrainFailsWhatIsLeftAtTheDeadline) {
  ToyEngine toy({}, {.vocab_rows = 101, .context = 1'000'000});
  GenerationRequest request;
  request.prompt = {1, 2};
  request.sampling.logit_bias = {{99, -100.0F}};
  Submission running = toy.engine->submit(request);
  std::thread reader([&] { EXPECT_NE(read_all(*running.events).failure, ""); });
  toy.engine->drain(0.05);
  EXPECT_EQ(toy.engine->stats().open, 0);
  reader.join();
}

TEST(Engine, StreamsOutliveTheEngine) {
  std::shared_ptr<EventStream> events;
  {
    ToyEngine toy({}, {.vocab_rows = 101, .context = 1'000'000});
    GenerationRequest request;
    request.prompt = {1, 2};
    events = toy.engine->submit(request).events;
  }
  EXPECT_NE(read_all(*events).failure, "");
  events->cancel();
}

TEST(Engine, TicksWhileIdle) {
  ToyEngine toy;
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  EXPECT_LT(toy.engine->seconds_since_tick(), 0.8);
}

TEST(Engine, FingerprintFollowsWeightsAndKvType) {
  auto fingerprint = [](uint64_t weights, KvType type) {
    ThreadPool pool(1);
    LoadedModel loaded;
    loaded.model = std::make_unique<ToyModel>(ToyShape{});
    loaded.fingerprint = weights;
    return Engine::start(std::move(loaded), {nullptr, &pool}, {.kv_type = type})
        .value()
        ->system_fingerprint();
  };
  const std::string base = fingerprint(1, KvType::f16);
  EXPECT_EQ(base, fingerprint(1, KvType::f16));
  EXPECT_NE(base, fingerprint(2, KvType::f16));
  EXPECT_NE(base, fingerprint(1, KvType::i8));
  EXPECT_TRUE(base.starts_with("fp_"));
}

TEST(Engine, ChargesAddUpToTheBusyTime) {
  ToyEngine toy;
  std::mt19937 random(3);
  std::vector<std::shared_ptr<EventStream>> streams;
  for (int i = 0; i < 30; ++i) streams.push_back(toy.engine->submit(random_request(random, 200)).events);
  double charged = 0;
  for (const auto& events : streams) {
    const Usage usage = read_all(*events).usage;
    charged += usage.prefill_seconds + usage.decode_seconds;
    EXPECT_GE(usage.queue_seconds, 0);
  }
  toy.engine->drain(10);
  const EngineStats stats = toy.engine->stats();
  EXPECT_NEAR(charged, stats.busy_seconds, 1e-6 + 1e-9 * stats.busy_seconds);
}

struct Workload {
  uint32_t seed;
  int32_t pages, step_tokens, threads;
};

class EngineWorkload : public testing::TestWithParam<Workload> {};

/// Several clients submit, read at their own pace, cancel now and then; the pool is too small for all at once.
TEST_P(EngineWorkload, EveryRequestEndsOnceWithTheOraclesTokens) {
  const Workload workload = GetParam();
  ToyEngine toy(
      {.kv_bytes = page_bytes() * static_cast<size_t>(workload.pages), .step_tokens = workload.step_tokens},
      {.vocab_rows = 101, .context = 200}, workload.threads);
  auto client = [&](uint32_t seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 25; ++i) {
      const GenerationRequest request = random_request(random, 130);
      Submission submission = toy.engine->submit(request);
      ASSERT_EQ(submission.refusal, Refusal::none) << submission.message;
      const bool cancels = random() % 5 == 0;
      uint32_t events_before_cancel = random() % 8;
      Outcome outcome;
      GenerationEvent event;
      if (cancels && events_before_cancel == 0) submission.events->cancel();
      while (submission.events->wait(event)) {
        outcome.add(event);
        if (cancels && events_before_cancel-- == 1) submission.events->cancel();
        if (random() % 40 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
      }
      EXPECT_EQ(outcome.ends, 1);
      EXPECT_EQ(outcome.failure, "");
      EXPECT_EQ(outcome.reasons.size(), static_cast<size_t>(request.choices));
      expect_oracle(toy.shape, request, outcome);
      for (const auto& [choice, reason] : outcome.reasons) {
        if (reason == FinishReason::cancelled) {
          EXPECT_TRUE(cancels);
        } else {
          EXPECT_EQ(outcome.tokens[choice].size(), static_cast<size_t>(request.max_tokens));
        }
      }
    }
  };
  std::vector<std::thread> clients;
  for (uint32_t i = 0; i < 6; ++i) clients.emplace_back(client, workload.seed * 100 + i);
  for (std::thread& thread : clients) thread.join();
  toy.engine->drain(10);
  const EngineStats stats = toy.engine->stats();
  EXPECT_EQ(stats.free_pages, stats.pages) << "every page came back";
  EXPECT_EQ(stats.open, 0);
  EXPECT_EQ(stats.waiting, 0);
  EXPECT_EQ(stats.running, 0);
  if (workload.pages < 10 && workload.step_tokens > 3) {  // one sequence at a time preempts nobody
    EXPECT_GT(stats.preemptions, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Random, EngineWorkload,
                         testing::Values(Workload{1, 7, 256, 1}, Workload{2, 8, 7, 2},
                                         Workload{3, 100, 64, 2}, Workload{4, 7, 1, 1},
                                         Workload{5, 9, 33, 1}));

}  // namespace
}  // namespace baleen
