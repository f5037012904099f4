// A fixed set of threads that share the indexes of one loop at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace baleen {

/// The caller of parallel_for works too, so a pool of n has n - 1 threads of its own. Each thread has an equal share of
/// neighbouring indexes, of which it takes half of what is left at a time (guided self-scheduling, Polychronopoulos
/// and Kuck 1987), and then the same of the others' shares: where all keep pace they touch nothing of each other's but
/// the loop's start and end. Between cores that share no cache a line of memory takes a quarter of a microsecond, and
/// every taking waits until all that was stored before it has arrived. The caller waits for indexes, not for threads:
/// a thread that the system has taken away costs the indexes it holds and no more. One caller at a time, but
/// a pool of one may have several: each works alone.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(index, thread) once for each index in [0, count), thread in [0, size()). count < size() * 2^23.
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

  /// A loop. Its number never repeats.
  struct Loop {
    uint64_t number;
    Function function;
    const void* context;
    int64_t count;
  };

  /// What was taken of a thread's share: (number of the loop << kTakenBits) + how many. The number of an older loop
  /// means none. So a late thread's compare-and-swap fails once anybody works on a newer loop, and where nobody does
  /// yet, it finds its own loop's share used up.
  struct alignas(64) Share {
    std::atomic<uint64_t> taken{0};
  };
  static constexpr int kTakenBits = 24;

  void run(int64_t count, Function function, const void* context);
  void publish(const Loop& loop);
  /// Waits for another version of the loop than `version`, which becomes that one; false where it is being changed.
  bool next_loop(uint32_t& version, Loop& loop) const;
  int64_t work_on(const Loop& loop, int thread);
  int64_t work_on_share(const Loop& loop, int share, int thread);
  void worker_main(int thread);

  // The loop at hand, one line of memory. The version is odd while the rest is changed.
  alignas(64) std::atomic<uint32_t> version_{0};
  std::atomic<uint64_t> number_{0};
  std::atomic<Function> function_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<int64_t> count_{0};
  std::atomic<bool> stop_{false};

  alignas(64) std::atomic<uint32_t> completed_{0};  ///< indexes that workers have completed in all loops
  std::unique_ptr<Share[]> shares_;
  std::vector<std::thread> workers_;
};

}  // namespace baleen
