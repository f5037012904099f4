// Merging against the definition, on random vocabularies and on texts long enough to be merged window by window.
#include "tokenizer/merges.h"

#include <gtest/gtest.h>

#include <random>

namespace baleen {
namespace {

/// The definition: again and again the pair of lowest rank, the leftmost among equals.
std::vector<int32_t> by_definition(const Merges& merges, std::vector<int32_t> ids) {
  while (true) {
    Merges::Merge best;
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merges::Merge merge = merges.find(ids[i], ids[i + 1]);
      if (merge.rank < best.rank) {
        best = merge;
        at = i;
      }
    }
    if (best.rank == Merges::kNone) return ids;
    ids[at] = best.id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

/// `letters` single symbols and `count` merges of random earlier tokens, in order or shuffled.
Merges random_merges(std::mt19937& random, int letters, int count, bool in_order) {
  std::vector<int32_t> ranks(static_cast<size_t>(count));
  for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<int32_t>(i);
  if (!in_order) std::shuffle(ranks.begin(), ranks.end(), random);
  Merges merges;
  for (int i = 0; i < count; ++i) {
    std::uniform_int_distribution<int32_t> token(0, letters + i - 1);
    merges.add(token(random), token(random), {ranks[static_cast<size_t>(i)], letters + i});
  }
  return merges;
}

TEST(Merges, MatchTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const int letters = 1 + round % 4;
    const Merges merges = random_merges(random, letters, 1 + round % 40, round % 3 != 0);
    std::vector<int32_t> ids(static_cast<size_t>(1 + random() % 700));
    for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<unsigned>(letters));
    const std::vector<int32_t> expected = by_definition(merges, ids);
    merges.apply(ids, 0);
    ASSERT_EQ(ids, expected) << "round " << round;
  }
}

TEST(Merges, OneLetterOfAnyLengthMatchesTheDefinition) {
  Merges merges;
  merges.add(0, 0, {0, 1});  // aa
  merges.add(1, 0, {1, 2});  // aaa
  merges.add(1, 1, {2, 3});  // aaaa
  merges.add(3, 2, {3, 4});  // aaaaaaa
  for (size_t length = 0; length < 300; ++length) {
    std::vector<int32_t> ids(length, 0);
    const std::vector<int32_t> expected = by_definition(merges, ids);
    merges.apply(ids, 0);
    ASSERT_EQ(ids, expected) << length;
  }
}

TEST(Merges, LeaveWhatStandsBefore) {
  Merges merges;
  merges.add(0, 0, {0, 1});
  std::vector<int32_t> ids = {0, 0, 0, 0};
  merges.apply(ids, 2);
  EXPECT_EQ(ids, (std::vector<int32_t>{0, 0, 1}));
}

}  // namespace
}  // namespace baleen
