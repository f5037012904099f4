// Memory that will be read soon, fetched into second-level caches while products are computed: those wait for
// multiplications, what follows them (attention over a few pages of each of many sequences) waits for memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace baleen {

/// Plans are made between two loops of a ThreadPool, by its caller; in a loop a thread touches its own plan alone.
class ReadAhead {
 public:
  explicit ReadAhead(int threads) : plans_(static_cast<size_t>(threads)) {}

  /// Forgets all plans.
  void clear();
  /// Appends memory to what a thread will read; false where its plan is full.
  bool add(int thread, const std::byte* from, size_t bytes);
  /// Asks for the next lines of a thread's plan.
  void fetch(int thread);

 private:
  static constexpr size_t kRanges = 128;
  struct Range {
    const std::byte *next, *end;
  };
  struct alignas(64) Plan {
    size_t count = 0, at = 0, bytes = 0;
    std::array<Range, kRanges> ranges;
  };
  std::vector<Plan> plans_;
};

}  // namespace baleen
