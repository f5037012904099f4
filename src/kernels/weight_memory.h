// Memory for all packed weights of a model.
#pragma once

#include <cstddef>
#include <memory>

namespace baleen {

/// Hands out pieces of large blocks, one behind the other, so that small matrices, too, lie on huge pages. A piece
/// keeps its block.
class WeightMemory {
 public:
  /// Uninitialised, aligned to a cache line; nullptr where there is no memory.
  std::shared_ptr<std::byte> take(size_t bytes);

 private:
  std::shared_ptr<std::byte> block_;
  size_t used_ = 0;
};

}  // namespace baleen
