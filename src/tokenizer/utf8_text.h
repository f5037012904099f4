// Walking over text that is valid UTF-8, and making it so. base/utf8.h reads text that may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baleen {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  ///< U+FFFD

/// Reads one code point of valid UTF-8 and moves `p` past it.
inline char32_t next_code_point(const char*& p) {
  const auto lead = static_cast<unsigned char>(*p++);
  if (lead < 0x80) return lead;
  const auto continuation = [&p] { return static_cast<char32_t>(static_cast<unsigned char>(*p++) & 0x3F); };
  if (lead < 0xE0) {
    const char32_t high = lead & 0x1Fu;
    return high << 6 | continuation();
  }
  if (lead < 0xF0) {
    char32_t point = lead & 0x0Fu;
    point = point << 6 | continuation();
    return point << 6 | continuation();
  }
  char32_t point = lead & 0x07u;
  point = point << 6 | continuation();
  point = point << 6 | continuation();
  return point << 6 | continuation();
}

/// Bytes of the valid UTF-8 sequence that starts with `lead`.
inline size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

void append_utf8(char32_t point, std::string& out);

/// Where `text` ends in the middle of a character, the length of what is there of it; else 0.
size_t incomplete_end(std::string_view text);

/// `text` itself where it is valid UTF-8, else a copy in `buffer` with U+FFFD for each maximal subpart.
std::string_view repaired(std::string_view text, std::string& buffer);

}  // namespace baleen
