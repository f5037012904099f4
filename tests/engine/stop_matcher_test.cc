#include "engine/stop_matcher.h"

#include <algorithm>
#include <random>

namespace baleen {
namespace {

size_t naive_match(const std::string& text, const std::vector<std::string>& stops) {
  size_t longest = 0;
  for (const std::string& stop : stops)
    if (!stop.empty() && text.ends_with(stop)) longest = std::max(longest, stop.size());
  return longest;
}

size_t naive_held(const std::string& text, const std::vector<std::string>& stops) {
  size_t held = 0;
  for (const std::string& stop : stops)
    for (size_t length = 1; length <= std::min(stop.size(), text.size()); ++length)
      if (text.ends_with(stop.substr(0, length))) held = std::max(held, length);
  return held;
}

TEST(StopMatcher, AgreesWithTheObviousWay) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> stops(random() % 4);
    for (std::string& stop : stops)
      for (size_t i = random() % 6; i > 0; --i) stop += static_cast<char>('a' + random() % 2);
    StopMatcher matcher(stops);
    std::string text;
    for (int i = 0; i < 60; ++i) {
      text += static_cast<char>('a' + random() % 2);
      ASSERT_EQ(matcher.push(text.back()), naive_match(text, stops)) << text;
      ASSERT_EQ(matcher.held(), naive_held(text, stops)) << text;
    }
  }
}

TEST(StopMatcher, NothingToFind) {
  StopMatcher matcher({"", ""});
  EXPECT_EQ(matcher.push('a'), 0U);
  EXPECT_EQ(matcher.held(), 0U);
}

}  // namespace
}  // namespace baleen
