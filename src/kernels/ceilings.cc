#include "kernels/ceilings.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "kernels/compute.h"
#include "kernels/large_memory.h"

namespace baleen {
namespace {

constexpr int kRuns = 12;
constexpr double kRunSeconds = 0.01;
// Larger than any last-level cache of one socket in use, so that every pass reads memory.
constexpr int64_t kReadBytes = int64_t{256} << 20;
constexpr int64_t kReadUnit = int64_t{1} << 20;
constexpr int kReadPasses = 4;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Operations per second of `kernel` on all threads.
double best_rate(const Compute& compute, int64_t (*kernel)(int64_t rounds)) {
  int64_t rounds = 1000;
  for (double start = seconds(); kernel(rounds), seconds() - start < kRunSeconds; start = seconds())
    rounds *= 2;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::atomic<int64_t> done{0};
    const double start = seconds();
    compute.pool->parallel_for(compute.pool->size(), [&](int64_t, int) { done += kernel(rounds); });
    best = std::max(best, static_cast<double>(done.load()) / (seconds() - start));
  }
  return best;
}

double best_read_rate(const Compute& compute) {
  const LargeMemory memory(kReadBytes);
  if (memory.data() == nullptr) return 0;
  const int64_t units = kReadBytes / kReadUnit;
  compute.pool->parallel_for(
      units, [&](int64_t unit, int) { std::memset(memory.data() + unit * kReadUnit, 1, kReadUnit); });
  double best = 0;
  for (int pass = 0; pass < kReadPasses; ++pass) {
    std::atomic<uint32_t> sum{0};
    const double start = seconds();
    compute.pool->parallel_for(units, [&](int64_t unit, int) {
      sum += compute.kernels->ceilings.read(memory.data() + unit * kReadUnit, kReadUnit);
    });
    best = std::max(best, static_cast<double>(kReadBytes) / (seconds() - start));
  }
  return best;
}

}  // namespace

Ceilings measure_ceilings(const Compute& compute) {
  return {.int8_gmac_s = best_rate(compute, compute.kernels->ceilings.multiply_int8) * 1e-9,
          .fp32_gflop_s = best_rate(compute, compute.kernels->ceilings.multiply_float) * 1e-9,
          .read_gb_s = best_read_rate(compute) * 1e-9};
}

}  // namespace baleen
