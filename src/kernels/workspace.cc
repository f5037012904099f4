#include "kernels/workspace.h"

#include <cstdlib>
#include <new>

#include "base/check.h"

namespace baleen {
namespace {

constexpr size_t kAlignment = 64;  // a cache line and a zmm register

size_t rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

void Workspace::Free::operator()(std::byte* memory) const { std::free(memory); }

Workspace::Workspace(size_t bytes) : capacity_(rounded(bytes + kAlignment)) {
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, capacity_)));
  if (memory_ == nullptr) throw std::bad_alloc();
}

void* Workspace::take_bytes(size_t bytes) {
  const size_t size = rounded(bytes);
  CHECK(size <= capacity_ - used_);
  void* taken = memory_.get() + used_;
  used_ += size;
  return taken;
}

}  // namespace baleen
