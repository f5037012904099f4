#include "kv/page_pool.h"

#include <cstdint>
#include <cstring>
#include <set>

#include "gtest/gtest.h"

namespace baleen {
namespace {

constexpr KvLayout kLayout{.layers = 3, .kv_heads = 2, .key_dim = 24, .value_dim = 16, .type = KvType::f16};

TEST(PagePool, SaysItsSizes) {
  EXPECT_EQ(kLayout.keys_bytes(), (24u + 1) * 32 * 2);  // codes and a scale of 16 bits for a block of them
  EXPECT_EQ(kLayout.values_bytes(), (16u + 1) * 32 * 2);
  EXPECT_EQ(kLayout.page_bytes(), 3u * 2 * (25 + 17) * 32 * 2);
  EXPECT_EQ(kLayout.token_bytes(), 3u * 2 * (25 + 17) * 2);
}

TEST(PagePool, I8HoldsCodesAndScales) {
  const KvLayout layout{.layers = 1, .kv_heads = 1, .key_dim = 49, .value_dim = 64, .type = KvType::i8};
  EXPECT_EQ(layout.keys_bytes(), 32u * (52 + 2 * 4));
  EXPECT_EQ(layout.values_bytes(), 32u * (64 + 2 * 4));
}

TEST(PagePool, AnIndexersKeysLieBehindTheLatents) {
  const KvLayout layout{.layers = 2,
                        .kv_heads = 1,
                        .key_dim = 64,
                        .value_dim = 48,
                        .type = KvType::f16,
                        .shape = KvShape::latent,
                        .index_dim = 16};
  EXPECT_EQ(layout.token_bytes(),
            2u * (64 + 3 + 16 + 1) * 2);  // with scales: of keys, values; of an indexer's keys
  auto pool = PagePool::make(layout, 2 * layout.page_bytes());
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->index_keys(1, 0), pool->keys(1, 0, 0) + (64 + 3) * 32 * 2);
  EXPECT_EQ(pool->keys(1, 1, 0), pool->index_keys(1, 0) + (16 + 1) * 32 * 2);
}

TEST(PagePool, HandsOutEveryPageOnce) {
  auto pool = PagePool::make(kLayout, 10 * kLayout.page_bytes() + 1);
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->pages(), 10);
  std::set<PageId> taken;
  while (auto page = pool->take()) EXPECT_TRUE(taken.insert(*page).second);
  EXPECT_EQ(taken.size(), 10u);
  EXPECT_EQ(pool->free_pages(), 0);
  pool->give_back(7);
  EXPECT_EQ(pool->take(), 7);
}

TEST(PagePool, PartsOfPagesDoNotOverlap) {
  auto pool = PagePool::make(kLayout, 2 * kLayout.page_bytes());
  ASSERT_TRUE(pool);
  std::set<std::byte*> starts;
  uint8_t mark = 0;
  const auto each = [&](auto&& visit) {
    for (PageId page = 0; page < 2; ++page)
      for (int32_t layer = 0; layer < 3; ++layer)
        for (int32_t head = 0; head < 2; ++head) {
          visit(pool->keys(page, layer, head), kLayout.keys_bytes());
          visit(pool->values(page, layer, head), kLayout.values_bytes());
        }
  };
  each([&](std::byte* part, size_t bytes) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(part) % 64, 0u);
    EXPECT_TRUE(starts.insert(part).second);
    std::memset(part, ++mark, bytes);
  });
  mark = 0;
  each([&](std::byte* part, size_t bytes) {
    EXPECT_EQ(static_cast<uint8_t>(part[0]), ++mark);
    EXPECT_EQ(static_cast<uint8_t>(part[bytes - 1]), mark);
  });
}

TEST(PagePool, RefusesMemoryForNoPage) {
  auto pool = PagePool::make(kLayout, kLayout.page_bytes() - 1);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().kind, ErrorKind::failed);
}

TEST(KvType, NamesAndBack) {
  for (const KvType type : {KvType::f32, KvType::f16, KvType::i8}) EXPECT_EQ(parse_kv_type(name(type)), type);
  EXPECT_FALSE(parse_kv_type("f64"));
}

}  // namespace
}  // namespace baleen
