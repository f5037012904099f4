// Memory for weights and scratch: aligned, and on huge pages where the system allows it.
#pragma once

#include <cstddef>
#include <memory>

namespace baleen {

class LargeMemory {
 public:
  LargeMemory() = default;
  /// Uninitialised, aligned to a cache line or, where there is more than one huge page of it, to those. data() is
  /// nullptr where there is no memory.
  explicit LargeMemory(size_t bytes);
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace baleen
