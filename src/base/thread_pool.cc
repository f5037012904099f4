#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace baleen {
namespace {

// How long a thread waits by spinning before it sleeps. The serial parts between two loops of a step take a
// few microseconds; waking a sleeping thread costs about 50.
constexpr auto kSpin = std::chrono::microseconds(60);

void relax() { __builtin_ia32_pause(); }

/// Spins while `value` is `old`, for kSpin at most, then sleeps until it changes.
void wait_while(const std::atomic<uint32_t>& value, uint32_t old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  CHECK(threads >= 1);
  shares_ = std::make_unique<Share[]>(static_cast<size_t>(threads));
  workers_.reserve(static_cast<size_t>(threads - 1));
  for (int thread = 1; thread < threads; ++thread)
    workers_.emplace_back([this, thread] { worker_main(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  version_.fetch_add(1);
  version_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t count, Function function, const void* context) {
  CHECK(count >= 0 && count < int64_t{size()} << (kTakenBits - 1));
  if (workers_.empty() || count < 2) {
    for (int64_t i = 0; i < count; ++i) function(context, i, 0);
    return;
  }
  const uint32_t completed = completed_.load(std::memory_order_relaxed);
  const Loop loop{number_.load(std::memory_order_relaxed) + 1, function, context, count};
  publish(loop);
  const auto others = static_cast<uint32_t>(count - work_on(loop, 0));
  for (uint32_t now = completed_.load(std::memory_order_acquire); now - completed != others;
       now = completed_.load(std::memory_order_acquire))
    wait_while(completed_, now);
}

/// Each store is ordered behind the one before, so who has read a part of the new loop finds the version changed.
void ThreadPool::publish(const Loop& loop) {
  const uint32_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  number_.store(loop.number, std::memory_order_release);
  function_.store(loop.function, std::memory_order_release);
  context_.store(loop.context, std::memory_order_release);
  count_.store(loop.count, std::memory_order_release);
  version_.store(version + 2);
  version_.notify_all();
}

bool ThreadPool::next_loop(uint32_t& version, Loop& loop) const {
  wait_while(version_, version);
  version = version_.load(std::memory_order_acquire);
  loop = {number_.load(std::memory_order_acquire), function_.load(std::memory_order_acquire),
          context_.load(std::memory_order_acquire), count_.load(std::memory_order_acquire)};
  return version % 2 == 0 && version_.load(std::memory_order_relaxed) == version;
}

/// How many indexes this thread has completed: its own share's first.
int64_t ThreadPool::work_on(const Loop& loop, int thread) {
  int64_t done = 0;
  for (int share = thread; share < size(); ++share) done += work_on_share(loop, share, thread);
  for (int share = 0; share < thread; ++share) done += work_on_share(loop, share, thread);
  return done;
}

int64_t ThreadPool::work_on_share(const Loop& loop, int share, int thread) {
  const int64_t first = loop.count * share / size(), count = loop.count * (share + 1) / size() - first;
  const uint64_t none = loop.number << kTakenBits;
  std::atomic<uint64_t>& taken = shares_[static_cast<size_t>(share)].taken;
  int64_t done = 0;
  for (uint64_t now = taken.load(std::memory_order_acquire);;) {
    // Numbers of newer loops are larger than any count.
    const auto index = std::max<int64_t>(0, static_cast<int64_t>(now - none));
    if (index >= count) return done;
    const int64_t end = index + (count - index + 1) / 2;
    if (!taken.compare_exchange_weak(now, none + static_cast<uint64_t>(end))) continue;
    for (int64_t i = index; i < end; ++i) loop.function(loop.context, first + i, thread);
    done += end - index;
    now = taken.load(std::memory_order_acquire);
  }
}

void ThreadPool::worker_main(int thread) {
  uint32_t version = 0;
  Loop loop{};
  for (;;) {
    const bool whole = next_loop(version, loop);
    if (stop_.load()) return;
    if (!whole) continue;
    const int64_t done = work_on(loop, thread);
    if (done == 0) continue;
    completed_.fetch_add(static_cast<uint32_t>(done), std::memory_order_release);
    completed_.notify_one();
  }
}

}  // namespace baleen
