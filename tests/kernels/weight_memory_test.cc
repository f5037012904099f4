#include "kernels/weight_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

/// A sanitizer asks for this: memory that is not there is what a test here is about, not a bug.
extern "C" [[gnu::visibility("default")]] const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}

namespace baleen {
namespace {

TEST(WeightMemory, PiecesDoNotOverlapAndOutliveIt) {
  struct Piece {
    std::shared_ptr<std::byte> data;
    size_t bytes;
  };
  std::vector<Piece> pieces;
  {
    WeightMemory memory;
    for (const size_t bytes : {1u, 65u, 20u << 20, 13u << 20, 40u << 20, 64u, 5u << 20}) {
      pieces.push_back({memory.take(bytes), bytes});
      ASSERT_NE(pieces.back().data, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces.back().data.get()) % 64, 0u);
    }
  }
  for (size_t i = 0; i < pieces.size(); ++i)
    std::memset(pieces[i].data.get(), static_cast<int>(i + 1), pieces[i].bytes);
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(std::to_integer<size_t>(pieces[i].data.get()[0]), i + 1);
    EXPECT_EQ(std::to_integer<size_t>(pieces[i].data.get()[pieces[i].bytes - 1]), i + 1);
  }
}

TEST(WeightMemory, NothingWhereThereIsNone) { EXPECT_EQ(WeightMemory().take(size_t{1} << 60), nullptr); }

}  // namespace
}  // namespace baleen
