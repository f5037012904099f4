#include "kernels/weight_memory.h"

#include "kernels/large_memory.h"

namespace baleen {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kBlock = size_t{32} << 20;  // what is never touched of the last one takes no memory

std::shared_ptr<std::byte> allocate(size_t bytes) {
  auto memory = std::make_shared<LargeMemory>(bytes);
  return {memory, memory->data()};
}

}  // namespace

std::shared_ptr<std::byte> WeightMemory::take(size_t bytes) {
  const size_t size = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  if (size >= kBlock) return allocate(size);
  if (block_ == nullptr || size > kBlock - used_) {
    block_ = allocate(kBlock);
    used_ = 0;
  }
  if (block_ == nullptr) return nullptr;
  std::byte* const piece = block_.get() + used_;
  used_ += size;
  return {block_, piece};
}

}  // namespace baleen
