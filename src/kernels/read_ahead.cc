#include "kernels/read_ahead.h"

namespace baleen {
namespace {

constexpr size_t kLine = 64;
// Half of a second-level cache of 1 MiB, through which weights pass meanwhile; 480 KiB are what a thread of two reads a
// layer for 16 streams of SmolLM2 with 80 tokens each.
constexpr size_t kPlanBytes = 512 << 10;
// As many misses as a core has open at once (Zen 4). At half a microsecond a tile these come in its shadow.
constexpr int kLinesAtOnce = 24;

}  // namespace

void ReadAhead::clear() {
  for (Plan& plan : plans_) plan.count = plan.at = plan.bytes = 0;
}

bool ReadAhead::add(int thread, const std::byte* from, size_t bytes) {
  Plan& plan = plans_[static_cast<size_t>(thread)];
  if (plan.count == kRanges || plan.bytes + bytes > kPlanBytes) return false;
  plan.ranges[plan.count++] = {from, from + bytes};
  plan.bytes += bytes;
  return true;
}

void ReadAhead::fetch(int thread) {
  constexpr int kToRead = 0, kToSecondLevel = 2;
  Plan& plan = plans_[static_cast<size_t>(thread)];
  for (int lines = 0; lines < kLinesAtOnce && plan.at < plan.count;) {
    Range& range = plan.ranges[plan.at];
    for (; lines < kLinesAtOnce && range.next < range.end; ++lines, range.next += kLine)
      __builtin_prefetch(range.next, kToRead, kToSecondLevel);
    if (range.next >= range.end) ++plan.at;
  }
}

}  // namespace baleen
