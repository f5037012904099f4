// What a model computes with: one ISA's kernels and the threads to run them on.
#pragma once

#include "base/thread_pool.h"
#include "kernels/kernel_table.h"

namespace baleen {

struct Compute {
  const KernelTable* kernels;
  ThreadPool* pool;
};

}  // namespace baleen
