#include "engine/scheduler.h"

#include <memory>

namespace baleen {
namespace {

PagePool pool_of(int32_t pages) {
  const KvLayout layout{.layers = 1, .kv_heads = 1, .key_dim = 1, .value_dim = 1, .type = KvType::f32};
  auto pool = PagePool::make(layout, layout.page_bytes() * static_cast<size_t>(pages));
  return std::move(pool.value());
}

std::unique_ptr<Request> request_of(int32_t prompt, int32_t most_tokens, int32_t choices = 1) {
  auto request = std::make_unique<Request>();
  request->asked.prompt.assign(static_cast<size_t>(prompt), 7);
  request->sequences.resize(static_cast<size_t>(choices));
  for (int32_t choice = 0; choice < choices; ++choice) {
    Sequence& sequence = request->sequences[static_cast<size_t>(choice)];
    sequence.request = request.get();
    sequence.choice = choice;
    sequence.most_tokens = most_tokens;
  }
  return request;
}

/// Does what the engine does after a step; tokens are all 7.
void advance(const Plan& plan) {
  for (const PlannedPart& part : plan.parts) {
    Sequence& sequence = *part.sequence;
    std::vector<TokenEvent>& scores = sequence.request->prompt_scores;
    if (sequence.request->asked.score_prompt && scores.empty()) scores.resize(1);
    for (int32_t i = 0; i < part.wanted && sequence.request->scores_missing(); ++i)
      scores.resize(scores.size() + 1);
    sequence.pages.tokens += part.rows;
    if (sequence.to_compute() == 0) sequence.tokens.push_back(7);
  }
}

TEST(Scheduler, DecodeRowsComeFirstThenPromptsInOrderOfArrival) {
  PagePool pool = pool_of(100);
  Scheduler scheduler(pool, {.rows = 16, .wanted = 16});
  auto first = request_of(20, 60), second = request_of(30, 60), third = request_of(4, 60);
  scheduler.add(first->sequences[0]);
  scheduler.add(second->sequences[0]);

  const Plan& plan = scheduler.plan();
  ASSERT_EQ(plan.parts.size(), 1U);  // the first prompt fills the step
  EXPECT_EQ(plan.parts[0].rows, 16);
  EXPECT_EQ(plan.parts[0].wanted, 0);
  advance(plan);

  scheduler.add(third->sequences[0]);
  scheduler.plan();
  ASSERT_EQ(plan.parts.size(), 2U);
  EXPECT_EQ(plan.parts[0].rows, 4);
  EXPECT_EQ(plan.parts[0].wanted, 1);
  EXPECT_EQ(plan.wanted_rows, std::vector<int32_t>{3});
  EXPECT_EQ(plan.parts[1].sequence, &second->sequences[0]);
  EXPECT_EQ(plan.parts[1].rows, 12);
  advance(plan);

  scheduler.plan();
  ASSERT_EQ(plan.parts.size(), 2U);
  EXPECT_EQ(plan.parts[0].sequence, &first->sequences[0]);
  EXPECT_EQ(plan.parts[0].rows, 1);
  EXPECT_EQ(plan.step_parts[0].first_position, 20);
  EXPECT_EQ(plan.parts[1].rows, 15);
  for (Request* request : {first.get(), second.get(), third.get()}) scheduler.remove(request->sequences[0]);
  EXPECT_TRUE(scheduler.idle());
  EXPECT_EQ(pool.free_pages(), 100);
}

TEST(Scheduler, WhoCameLastGivesItsPagesBackAndComesAgainFirst) {
  PagePool pool = pool_of(4);
  Scheduler scheduler(pool, {.rows = 256, .wanted = 16});
  auto first = request_of(32, 128), second = request_of(20, 100), third = request_of(3, 30);
  for (Request* request : {first.get(), second.get(), third.get()}) scheduler.add(request->sequences[0]);
  const Plan& plan = scheduler.plan();
  EXPECT_EQ(plan.parts.size(), 2U);  // the third would leave no page to grow into
  advance(plan);
  uint64_t before = 0;
  while (first->sequences[0].size() < 128) {
    scheduler.plan();
    ASSERT_FALSE(plan.empty());
    ASSERT_EQ(plan.parts[0].sequence, &first->sequences[0]) << "the first is never preempted";
    if (scheduler.preemptions() > before) {
      EXPECT_TRUE(second->sequences[0].pages.pages.empty());
    }
    before = scheduler.preemptions();
    advance(plan);
  }
  EXPECT_GT(scheduler.preemptions(), 0U);
  scheduler.remove(first->sequences[0]);
  scheduler.plan();
  EXPECT_EQ(plan.parts[0].sequence, &second->sequences[0]);
  EXPECT_EQ(plan.parts[0].rows, second->sequences[0].size());  // all of it is computed again
}

TEST(Scheduler, ScoringTakesNoMoreRowsThanLogitsFit) {
  PagePool pool = pool_of(100);
  Scheduler scheduler(pool, {.rows = 64, .wanted = 8});
  auto scored = request_of(30, 40, 2), other = request_of(40, 50);
  scored->asked.score_prompt = true;
  scheduler.add(scored->sequences[0]);
  scheduler.add(scored->sequences[1]);
  scheduler.add(other->sequences[0]);
  for (int step = 0; step < 4; ++step) {
    const Plan& plan = scheduler.plan();
    ASSERT_EQ(plan.parts[0].sequence, &scored->sequences[0]);
    EXPECT_EQ(plan.parts[0].rows, step < 3 ? 8 : 6);
    EXPECT_EQ(plan.parts[0].wanted, plan.parts[0].rows);
    EXPECT_LE(plan.wanted_rows.size(), 8U);
    EXPECT_EQ(scored->sequences[1].pages.tokens, 0) << "scores come before any choice's text";
    advance(plan);
  }
  EXPECT_EQ(scored->prompt_scores.size(), 30U);
  const Plan& plan = scheduler.plan();
  EXPECT_EQ(plan.parts[0].rows, 1);
  ASSERT_EQ(plan.parts.size(), 3U);
  EXPECT_EQ(plan.parts[1].sequence, &scored->sequences[1]);
}

TEST(Scheduler, OneRowAStepIsEnough) {
  PagePool pool = pool_of(3);
  Scheduler scheduler(pool, {.rows = 1, .wanted = 1});
  auto first = request_of(5, 8), second = request_of(2, 6);
  scheduler.add(first->sequences[0]);
  scheduler.add(second->sequences[0]);
  for (int step = 0; step < 50 && !scheduler.idle(); ++step) {
    const Plan& plan = scheduler.plan();
    ASSERT_EQ(plan.tokens.size(), 1U);
    advance(plan);
    for (Request* request : {first.get(), second.get()})
      if (request->sequences[0].size() == request->sequences[0].most_tokens)
        scheduler.remove(request->sequences[0]);
  }
  EXPECT_EQ(first->sequences[0].size(), 8);
  EXPECT_EQ(second->sequences[0].size(), 6);
  EXPECT_EQ(pool.free_pages(), 3);
}

}  // namespace
}  // namespace baleen
