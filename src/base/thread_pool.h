// A fixed set of threads that share the indexes of one loop at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace baleen {

/// The caller of parallel_for works too, so a pool of n has n - 1 threads of its own. Indexes are taken one
/// by one from a shared counter and the caller waits for indexes, not for threads: a thread that the system
/// has taken away costs the index it holds and no more. One caller at a time.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(index, thread) once for each index in [0, count), thread in [0, size()). count < 2^32.
  template <class Work>
  void parallel_for(int64_t count, const Work& work) {
    run(
        count,
        [](const void* context, int64_t index, int thread) {
          (*static_cast<const Work*>(context))(index, thread);
        },
        &work);
  }

 private:
  using Function = void (*)(const void* context, int64_t index, int thread);

  void run(int64_t count, Function function, const void* context);
  void work_on(uint32_t epoch, int thread);
  void worker_main(int thread);

  // (epoch << 32) | next index. Taking an index is a compare-and-swap that fails once the epoch has moved on,
  // so what a late thread read of an older job is never used.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<Function> function_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<int64_t> count_{0};
  alignas(64) std::atomic<uint32_t> completed_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace baleen
