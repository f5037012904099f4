// Expressions of a tokenizer.json that are made to be slow.
#include "tokenizer/expression.h"

#include <ctime>

#include "gtest/gtest.h"

namespace baleen {
namespace {

std::vector<Piece> matches(std::string_view pattern, std::string_view text) {
  const auto expression = Expression::compile(pattern);
  EXPECT_TRUE(expression) << expression.error().message;
  std::vector<Piece> found;
  Expression::Search(*expression, text).find_all({0, static_cast<uint32_t>(text.size())}, found);
  return found;
}

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  while (times-- > 0) text += part;
  return text;
}

TEST(Expression, LongMatchesAreFound) {
  const std::string text = repeated("ab", 1 << 11) + " x";
  for (const char* pattern : {"(?:ab)+", "[^ ]+", "(?:a|b)+(?= )"}) {
    const auto found = matches(pattern, text);
    ASSERT_FALSE(found.empty()) << pattern;
    EXPECT_EQ(found[0].end, text.size() - 2) << pattern;
  }
}

TEST(Expression, SlowOnesStopEarly) {
  // At each a the first alternative fails after as many steps as the run has ways to be cut: fewer than one search may
  // take, and a minute for all.
  const std::string text = repeated(std::string(24, 'a') + "c", 1 << 14);
  const std::clock_t began = std::clock();
  EXPECT_FALSE(matches("(?:a|aa)+b|a", text).empty());
  EXPECT_LT(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC, 5);
}

}  // namespace
}  // namespace baleen
