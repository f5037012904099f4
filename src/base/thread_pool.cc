#include "base/thread_pool.h"

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
  workers_.reserve(static_cast<size_t>(threads - 1));
  for (int thread = 1; thread < threads; ++thread)
    workers_.emplace_back([this, thread] { worker_main(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t count, Function function, const void* context) {
  CHECK(count >= 0 && count < (int64_t{1} << 32));
  if (workers_.empty() || count < 2) {
    for (int64_t i = 0; i < count; ++i) function(context, i, 0);
    return;
  }
  const uint32_t epoch = epoch_.load(std::memory_order_relaxed) + 1;
  // The new epoch enters the ticket before the job's fields change: a late thread's compare-and-swap on the
  // old epoch fails from here on. Index 2^32 - 1 means "none left" until the fields are complete.
  ticket_.store((uint64_t{epoch} << 32) | UINT32_MAX);
  function_.store(function);
  context_.store(context);
  count_.store(count);
  completed_.store(0);
  ticket_.store(uint64_t{epoch} << 32);
  epoch_.store(epoch);
  epoch_.notify_all();
  work_on(epoch, 0);
  for (uint32_t done = completed_.load(std::memory_order_acquire); done != static_cast<uint32_t>(count);
       done = completed_.load(std::memory_order_acquire))
    wait_while(completed_, done);
}

void ThreadPool::work_on(uint32_t epoch, int thread) {
  for (;;) {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    const Function function = function_.load();
    const void* context = context_.load();
    const int64_t count = count_.load();
    if (static_cast<uint32_t>(ticket >> 32) != epoch) return;
    const auto index = static_cast<int64_t>(ticket & UINT32_MAX);
    if (index == UINT32_MAX || index >= count) return;
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1)) continue;
    function(context, index, thread);
    if (completed_.fetch_add(1, std::memory_order_release) + 1 == static_cast<uint32_t>(count))
      completed_.notify_one();
  }
}

void ThreadPool::worker_main(int thread) {
  uint32_t seen = 0;
  for (;;) {
    wait_while(epoch_, seen);
    seen = epoch_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    work_on(seen, thread);
  }
}

}  // namespace baleen
