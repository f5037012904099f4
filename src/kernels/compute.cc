#include "kernels/compute.h"

namespace baleen {

Processor::Processor(const KernelTable& kernels, int threads)
    : pool_(threads),
      no_others_(1),
      read_ahead_(threads),
      read_ahead_alone_(static_cast<size_t>(threads), ReadAhead(1)) {
  for (ReadAhead& plan : read_ahead_alone_) alone_.push_back({&kernels, &no_others_, &plan});
  compute_ = {&kernels, &pool_, &read_ahead_, alone_.data()};
}

}  // namespace baleen
