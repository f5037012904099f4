#include "base/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace baleen {
namespace {

TEST(ThreadPool, RunsEveryIndexOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      std::atomic<bool> strange_thread{false};
      pool.parallel_for(count, [&](int64_t index, int thread) {
        runs[static_cast<size_t>(index)].fetch_add(1);
        if (thread < 0 || thread >= threads) strange_thread = true;
      });
      for (const auto& each : runs) EXPECT_EQ(each.load(), 1);
      EXPECT_FALSE(strange_thread);
    }
  }
}

TEST(ThreadPool, GivesEachThreadItsOwnNumber) {
  ThreadPool pool(4);
  std::vector<std::thread::id> ids(4);
  std::atomic<bool> shared{false};
  for (int round = 0; round < 100; ++round) {
    pool.parallel_for(64, [&](int64_t, int thread) {
      std::thread::id& id = ids[static_cast<size_t>(thread)];  // a data race where two threads had one number
      if (id != std::thread::id() && id != std::this_thread::get_id()) shared = true;
      id = std::this_thread::get_id();
    });
  }
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, ShowsTheCallerWhatWasWritten) {
  ThreadPool pool(3);
  std::vector<int64_t> squares(
      100);  // no atomics: ThreadSanitizer sees whether the loop's end orders the writes
  for (int64_t round = 0; round < 2000; ++round) {
    const int64_t count = round % 100 + 1;
    pool.parallel_for(count,
                      [&](int64_t index, int) { squares[static_cast<size_t>(index)] = index * round; });
    const int64_t sum = std::accumulate(squares.begin(), squares.begin() + count, int64_t{0});
    ASSERT_EQ(sum, round * count * (count - 1) / 2);
  }
}

TEST(ThreadPool, LateThreadsTouchNoFinishedLoop) {
  // Each loop's work lives in its own stack frame: a thread that still ran an older loop would write into a dead one.
  ThreadPool pool(4);
  for (int round = 0; round < 5000; ++round) {
    int64_t first = -1, second = -1;
    pool.parallel_for(2, [&](int64_t index, int) { (index == 0 ? first : second) = index; });
    ASSERT_EQ(first, 0);
    ASSERT_EQ(second, 1);
  }
}

TEST(ThreadPool, AThreadHeldUpCostsWhatItHoldsAndNoMore) {
  using Clock = std::chrono::steady_clock;
  for (const int held : {0, 1}) {
    ThreadPool pool(2);
    std::atomic<int> done{0}, began{0};
    std::atomic<bool> others_went_on{false};
    const auto wait_for = [](const auto& condition) {
      for (const auto end = Clock::now() + std::chrono::seconds(20); !condition();) {
        if (Clock::now() > end) return false;
        std::this_thread::yield();
      }
      return true;
    };
    std::atomic<bool> here[2] = {};
    pool.parallel_for(8, [&](int64_t, int thread) {
      if (!here[thread].exchange(true)) {
        began.fetch_add(1);
        ASSERT_TRUE(wait_for([&] { return began.load() == 2; }));  // both have taken half of their four
        if (thread == held) others_went_on = wait_for([&] { return done.load() == 6; });
      }
      done.fetch_add(1);
    });
    EXPECT_TRUE(others_went_on) << "thread " << held;
    EXPECT_EQ(done.load(), 8);
  }
}

TEST(ThreadPool, WakesThreadsThatSleep) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // far longer than the pool spins
    std::atomic<int> done{0};
    pool.parallel_for(10, [&](int64_t, int) { done.fetch_add(1); });
    EXPECT_EQ(done.load(), 10);
  }
}

TEST(ThreadPool, StartsAndEndsIdle) {
  for (int round = 0; round < 50; ++round) ThreadPool pool(3);
}

}  // namespace
}  // namespace baleen
