// What a model computes with: one ISA's kernels and the threads to run them on.
#pragma once

#include <vector>

#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "kernels/read_ahead.h"

namespace baleen {

struct Compute {
  const KernelTable* kernels;
  ThreadPool* pool;
  ReadAhead* read_ahead =
      nullptr;  ///< of as many threads as the pool; null: nothing is fetched during products
  const Compute* alone =
      nullptr;  ///< one for each thread of the pool, for work on that thread alone; null: there are none
};

/// Owns what a Compute points to.
class Processor {
 public:
  Processor(const KernelTable& kernels, int threads);
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;

  const Compute& compute() const { return compute_; }

 private:
  ThreadPool pool_, no_others_;
  ReadAhead read_ahead_;
  std::vector<ReadAhead> read_ahead_alone_;
  std::vector<Compute> alone_;
  Compute compute_;
};

}  // namespace baleen
