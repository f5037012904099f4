// What a model computes with: one ISA's kernels and the threads to run them on.
#pragma once

#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "kernels/read_ahead.h"

namespace baleen {

struct Compute {
  const KernelTable* kernels;
  ThreadPool* pool;
  ReadAhead* read_ahead =
      nullptr;  ///< of as many threads as the pool; null: nothing is fetched during products
};

}  // namespace baleen
