#include "base/utf8.h"

namespace baleen {
namespace {

TEST(Utf8, WellFormedTextIsWellFormed) {
  for (const char* text : {"", "a", "eight ok", "eight and more", "\u00E9\u20AC\U0001F600", "12345678\u00E9"})
    EXPECT_TRUE(is_utf8(text)) << text;
}

TEST(Utf8, IllFormedTextIsFoundWhereverItStands) {
  const std::vector<std::string> kBad = {"\x80",         "\xC0\xAF",         "\xC3", "\xE0\x80\x80",
                                         "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"};
  for (const std::string& bad : kBad)
    for (size_t before = 0; before < 10; ++before) {
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + bad));
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + bad + "tail of text"));
    }
}

}  // namespace
}  // namespace baleen
