#include "models/step_shares.h"

#include <algorithm>

#include "base/check.h"

namespace baleen {
namespace {

// Weights for each layer, so many at most. Two cores, 16 streams: with 3 MB (SmolLM2) shares are 3 to 5 % faster where
// the cores have a common cache and 23 % where they have none, with 46 MB (a 1B in Q4_K) 1 % slower and 3 % faster.
constexpr int64_t kMostLayerBytes = 8 << 20;
// Rows of a share for each thread: what all threads read of weights in a second grows with the threads and shrinks with
// the rows that each weight serves. Two cores read 26 GB/s at 6 rows, and are 4 and 16 % faster.
constexpr int64_t kRowsPerThread = 3;
// Steps of a trial; the first one, which finds other data in each cache, is not counted.
constexpr int32_t kTrialSteps = 4;
// After a trial that changed the way the next one comes soon, after others four times as late: at most a quarter of all
// steps go the other way, later one of 64.
constexpr int32_t kSoon = 16, kSeldom = 256;
// A way that has become so much slower is compared at once: a core was taken away.
constexpr double kMuchSlower = 1.5;

}  // namespace

StepShare take_share(const Step& step, int64_t index, int64_t threads, Workspace& scratch) {
  const auto rows = static_cast<int64_t>(step.tokens.size());
  const int64_t first = rows * index / threads, last = rows * (index + 1) / threads;
  const auto before = [&](int64_t row) {
    return std::ranges::lower_bound(step.wanted, static_cast<int32_t>(row)) - step.wanted.begin();
  };
  const int64_t wanted_before = before(first), wanted_count = before(last) - wanted_before;
  auto* parts = scratch.take<Step::Part>(last - first);
  auto* wanted = scratch.take<int32_t>(wanted_count);
  for (int64_t i = 0; i < last - first; ++i) {
    parts[i] = step.parts[static_cast<size_t>(first + i)];
    CHECK(parts[i].rows == 1 && parts[i].first_row == first + i);
    parts[i].first_row = static_cast<int32_t>(i);
  }
  for (int64_t i = 0; i < wanted_count; ++i)
    wanted[i] = step.wanted[static_cast<size_t>(wanted_before + i)] - static_cast<int32_t>(first);
  const auto count = static_cast<size_t>(last - first);
  return {{step.tokens.subspan(static_cast<size_t>(first), count),
           {parts, count},
           {wanted, static_cast<size_t>(wanted_count)}},
          wanted_before};
}

size_t share_bytes(int64_t rows, int64_t wanted) {
  return static_cast<size_t>(rows) * sizeof(Step::Part) + static_cast<size_t>(wanted) * sizeof(int32_t) +
         2 * 64;
}

bool SharePolicy::possible(const Step& step) const {
  const auto rows = static_cast<int64_t>(step.tokens.size());
  return threads_ >= 2 && layer_bytes_ <= kMostLayerBytes && rows == std::ssize(step.parts) &&
         rows >= kRowsPerThread * threads_ * threads_;
}

void SharePolicy::note(double seconds_of_row) {
  double &mine = lately_[in_shares_ ? 1 : 0], &other = lately_[in_shares_ ? 0 : 1];
  ++steps_;
  if (steps_ == 2 && (trying_ || mine == 0)) {
    mine = seconds_of_row;
  } else if (steps_ > 1) {
    mine += (seconds_of_row - mine) / kTrialSteps;
  }
  if (steps_ < kTrialSteps) return;
  if (trying_) {
    const bool better = mine < other;
    next_trial_ = better ? kSoon : std::min(4 * std::max(next_trial_, kSoon / 4), kSeldom);
    if (!better) change_way();
    chosen_at_ = better ? mine : other;
    trying_ = false;
    steps_ = kTrialSteps;
  } else if (steps_ - kTrialSteps >= next_trial_ || mine > kMuchSlower * chosen_at_) {
    change_way();
    trying_ = true;
  }
}

void SharePolicy::change_way() {
  in_shares_ = !in_shares_;
  steps_ = 0;
}

}  // namespace baleen
