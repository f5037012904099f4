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
// Shares on a quiet machine differ by a third now and then (8.3 and 11.4 ms).
constexpr double kUneven = 1.5;
// A single step is uneven for any trifle of the system's, and costs less than some steps together would. Steps together
// are twice as many each time that the one behind them is uneven again.
constexpr int32_t kUnevenSteps = 2, kFewTogether = 16, kMostTogether = 256;

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

SharePolicy::SharePolicy(int threads, int64_t layer_bytes)
    : threads_(threads), layer_bytes_(layer_bytes), next_together_(kFewTogether) {}

bool SharePolicy::suits(const Step& step) {
  const auto rows = static_cast<int64_t>(step.tokens.size());
  if (threads_ < 2 || layer_bytes_ > kMostLayerBytes) return false;
  if (rows != static_cast<int64_t>(step.parts.size()) || rows < kRowsPerThread * threads_ * threads_)
    return false;
  if (steps_together_ == 0) return true;
  --steps_together_;
  return false;
}

void SharePolicy::note_seconds(std::span<const double> seconds) {
  const auto [shortest, longest] = std::ranges::minmax(seconds);
  if (longest <= kUneven * shortest) {
    uneven_steps_ = 0;
    next_together_ = kFewTogether;
  } else if (++uneven_steps_ >= kUnevenSteps) {
    steps_together_ = next_together_;
    next_together_ = std::min(2 * next_together_, kMostTogether);
  }
}

}  // namespace baleen
