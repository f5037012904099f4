#include "kernels/read_ahead.h"

#include <gtest/gtest.h>

#include <vector>

namespace baleen {
namespace {

TEST(ReadAhead, PlansEndWhereCachesDo) {
  ReadAhead plans(2);
  std::vector<std::byte> memory(16 << 10);
  size_t added = 0;
  while (plans.add(0, memory.data(), memory.size())) added += memory.size();
  EXPECT_EQ(added, 512u << 10);
  EXPECT_TRUE(plans.add(1, memory.data(), memory.size()));  // a plan of its own
  plans.clear();
  EXPECT_TRUE(plans.add(0, memory.data(), memory.size()));
}

TEST(ReadAhead, HasRoomForSoManyPieces) {
  ReadAhead plans(1);
  const std::byte line[64] = {};
  int added = 0;
  while (plans.add(0, line, sizeof line)) ++added;
  EXPECT_EQ(added, 128);
}

TEST(ReadAhead, FetchesToTheEndOfAPlanAndStops) {
  ReadAhead plans(1);
  const std::vector<std::byte> memory(100);  // not whole lines
  plans.fetch(0);
  EXPECT_TRUE(plans.add(0, memory.data(), memory.size()));
  EXPECT_TRUE(plans.add(0, memory.data(), 0));
  for (int i = 0; i < 10; ++i) plans.fetch(0);
  EXPECT_TRUE(plans.add(0, memory.data(), memory.size()));
  plans.fetch(0);
}

}  // namespace
}  // namespace baleen
