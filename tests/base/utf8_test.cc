#include "base/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baleen {
namespace {

std::string encoded(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 63))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
          byte(0x80 | (c & 63))};
}

TEST(Utf8, TakesEveryScalarValueAndNoSurrogate) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    const std::string text = encoded(c) + "x";
    const Utf8Sequence sequence = first_utf8_sequence(text);
    const bool surrogate = c >= 0xD800 && c < 0xE000;
    ASSERT_EQ(sequence.valid, !surrogate) << static_cast<uint32_t>(c);
    ASSERT_EQ(sequence.scalar, surrogate ? U'\uFFFD' : c);
    ASSERT_EQ(sequence.length, surrogate ? 1 : text.size() - 1);
  }
}

TEST(Utf8, NamesMaximalSubpartsOfIllFormedText) {
  struct Case {
    std::string text;
    std::vector<size_t> lengths;
  };
  // Unicode Standard 15, tables 3-8 to 3-11.
  const std::vector<Case> cases{{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", {1, 1, 1, 1, 1, 1, 1, 1, 1}},
                                {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", {1, 1, 1, 1, 1, 1, 1, 1, 1}},
                                {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", {1, 1, 1, 1, 1, 1, 1, 1, 1}},
                                {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", {2, 1, 3, 2, 1}},
                                {"\xF0\x9F\x98", {3}}};
  for (const Case& each : cases) {
    std::vector<size_t> lengths;
    std::string_view rest = each.text;
    while (!rest.empty()) {
      lengths.push_back(first_utf8_sequence(rest).length);
      rest.remove_prefix(lengths.back());
    }
    EXPECT_EQ(lengths, each.lengths);
  }
}

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
