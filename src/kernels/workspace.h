// Scratch memory of a step: sized once, handed out by moving a mark, taken back all at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/large_memory.h"

namespace baleen {

class Workspace {
 public:
  explicit Workspace(size_t bytes);
  /// Of memory of the caller's, aligned to 64 bytes.
  explicit Workspace(std::span<std::byte> memory) : data_(memory.data()), capacity_(memory.size()) {}

  /// `count` values, uninitialised, aligned to 64 bytes. CHECKs the capacity, which the model has computed.
  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(take_bytes(static_cast<size_t>(count) * sizeof(T)));
  }
  size_t mark() const { return used_; }
  void back_to(size_t mark) { used_ = mark; }
  size_t capacity() const { return capacity_; }

 private:
  void* take_bytes(size_t bytes);

  LargeMemory memory_;
  std::byte* data_;
  size_t capacity_ = 0, used_ = 0;
};

}  // namespace baleen
