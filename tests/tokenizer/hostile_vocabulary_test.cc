// Vocabularies that are made to be slow: all of them are read in about linear time.
#include <ctime>

#include "gtest/gtest.h"
#include "tokenizer/flat_map.h"
#include "tokenizer/text_hash.h"
#include "tokenizer/token_table.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

constexpr uint64_t kKnown = 0x9E3779B97F4A7C15;  // a multiplier that an enemy might guess
constexpr uint64_t kCount = 200'000;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

constexpr uint64_t inverse(uint64_t odd) {
  uint64_t inverse = odd;  // right in 3 bits; each round doubles them (Newton)
  for (int round = 0; round < 5; ++round) inverse *= 2 - odd * inverse;
  return inverse;
}
static_assert(inverse(kKnown) * kKnown == 1);

/// Texts of 8 bytes whose hashes with kKnown share their upper 24 bits.
std::string colliding_text(uint64_t i) {
  const uint64_t start = 8 * kKnown;
  const uint64_t word = i * inverse(kKnown) ^ start ^ start >> 32;
  return {reinterpret_cast<const char*>(&word), sizeof(word)};
}

TEST(HostileVocabulary, TextsOnOnePlaceOfAKnownTable) {
  EXPECT_EQ(text_hash(colliding_text(77), kKnown), 77);
  TokenTable table;
  for (uint64_t i = 0; i < kCount; ++i) table.append(colliding_text(i));
  const double began = cpu_seconds();
  table.index(std::vector<uint8_t>(kCount, 1));
  EXPECT_EQ(table.find(colliding_text(kCount - 1)), static_cast<int32_t>(kCount) - 1);
  EXPECT_EQ(table.find(colliding_text(kCount)), -1);
  EXPECT_LT(cpu_seconds() - began, 2);
}

TEST(HostileVocabulary, KeysOnOnePlaceOfAKnownMap) {
  FlatMap<uint32_t> map;
  const auto key = [](uint64_t i) {
    const uint64_t mixed = i * inverse(kKnown);
    return mixed ^ mixed >> 32;
  };
  const double began = cpu_seconds();
  for (uint32_t i = 0; i < kCount; ++i) map.set(key(i), i);
  EXPECT_EQ(map.size(), kCount);
  EXPECT_EQ(*map.find(key(kCount - 1)), kCount - 1);
  EXPECT_EQ(map.find(key(kCount)), nullptr);
  EXPECT_LT(cpu_seconds() - began, 2);
}

TEST(HostileVocabulary, PiecesOfCharactersThatAreNoPieces) {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::sentencepiece;
  char32_t character = 0x10000;
  for (uint64_t i = 0; i < kCount; ++i) {
    std::string piece;
    append_utf8(character++, piece);
    append_utf8(character++, piece);
    vocabulary.tokens.push_back(piece);
  }
  vocabulary.types.assign(kCount, TokenType::normal);
  vocabulary.scores.assign(kCount, -1);
  const double began = cpu_seconds();
  const auto tokenizer = Tokenizer::make(vocabulary);
  EXPECT_LT(cpu_seconds() - began, 5);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  std::vector<int32_t> ids;
  tokenizer->encode_text(vocabulary.tokens[12345], ids);
  EXPECT_EQ(ids, std::vector<int32_t>{12345});
}

}  // namespace
}  // namespace baleen
