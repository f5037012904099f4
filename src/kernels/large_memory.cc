#include "kernels/large_memory.h"

#include <sys/mman.h>

#include <cstdlib>

namespace baleen {
namespace {

constexpr size_t kCacheLine = 64, kHugePage = size_t{2} << 20;

}  // namespace

void LargeMemory::Free::operator()(std::byte* memory) const { std::free(memory); }

// A stream that is read once needs one TLB entry for 2 MiB instead of 512, and the prefetchers of the core, which stop
// at the end of a page, keep running.
LargeMemory::LargeMemory(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const size_t size = (bytes + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, size)));
  if (data_ != nullptr && alignment == kHugePage) (void)::madvise(data_.get(), size, MADV_HUGEPAGE);
}

}  // namespace baleen
