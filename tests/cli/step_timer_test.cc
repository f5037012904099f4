#include "cli/step_timer.h"

#include "formats/checkpoint.h"

namespace baleen {
namespace {

TEST(StepTimer, CountsWhatTheTimedStepsReadOfExperts) {
  ThreadPool pool(2);
  const Compute compute{&kernels(best_isa()), &pool};
  const auto checkpoint = Checkpoint::open(BALEEN_SOURCE_DIR "/tests/golden/qwen3-moe");
  ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
  const auto model = load_model(*checkpoint, compute);
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const ExpertParameters& experts = (*model)->params().experts;
  const int64_t all = (*model)->cost().routed_bytes, one = all / experts.count * experts.used;
  constexpr int32_t kStreams = 6, kSteps = 5;
  auto timer = StepTimer::make(**model, KvType::f16, kStreams, 40);
  ASSERT_TRUE(timer.has_value()) << timer.error().message;
  EXPECT_EQ(timer->decode(1, 0, kSteps).routed_bytes, kSteps * one);
  EXPECT_EQ(timer->decode(1, 9, kSteps).routed_bytes, kSteps * one) << "the context is not timed";
  const StepSums together = timer->decode(kStreams, 3, kSteps);
  EXPECT_GT(together.routed_bytes, kSteps * one);
  EXPECT_LE(together.routed_bytes, kSteps * all);
  EXPECT_GT(together.seconds, 0);
}

}  // namespace
}  // namespace baleen
