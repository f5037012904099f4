#include "kernels/workspace.h"

#include <new>

#include "base/check.h"

namespace baleen {
namespace {

constexpr size_t kAlignment = 64;  // a cache line and a zmm register

size_t rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Workspace::Workspace(size_t bytes)
    : memory_(rounded(bytes + kAlignment)), data_(memory_.data()), capacity_(rounded(bytes + kAlignment)) {
  if (data_ == nullptr) throw std::bad_alloc();
}

void* Workspace::take_bytes(size_t bytes) {
  const size_t size = rounded(bytes);
  CHECK(size <= capacity_ - used_);
  void* taken = data_ + used_;
  used_ += size;
  return taken;
}

}  // namespace baleen
