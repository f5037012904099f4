// UTF-8, as the Unicode Standard defines it (section 3.9, table 3-7).
#pragma once

#include <cstddef>
#include <string_view>

namespace baleen {

struct Utf8Sequence {
  size_t length;    ///< bytes at the start of the text, at least 1: a character, or a maximal ill-formed part
  char32_t scalar;  ///< the character; U+FFFD where the bytes are ill-formed
  bool valid;
};

/// The sequence at the start of a text that is not empty. An ill-formed one is as long as the Unicode
/// Standard recommends to replace by one U+FFFD (maximal subpart).
constexpr Utf8Sequence first_utf8_sequence(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead, true};
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0) return {1, U'\uFFFD', false};
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  char32_t scalar = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF))
      return {i, U'\uFFFD', false};
    scalar = scalar << 6 | (byte(i) & 0x3F);
  }
  return {length, scalar, true};
}

/// The whole text is well-formed.
bool is_utf8(std::string_view text);

}  // namespace baleen
