#include "tokenizer/utf8_text.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"

namespace baleen {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

/// Length of the longest valid prefix.
size_t valid_prefix(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    uint64_t eight;
    if (text.size() - i >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + i, sizeof(eight));
      if ((eight & kHighBits) == 0) {
        i += sizeof(eight);
        continue;
      }
    }
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const Utf8Sequence sequence = first_utf8_sequence(text.substr(i));
    if (!sequence.valid) return i;
    i += sequence.length;
  }
  return i;
}

}  // namespace

void append_utf8(char32_t point, std::string& out) {
  const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

size_t incomplete_end(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(3, text.size()); ++length) {
    const std::string_view tail = text.substr(text.size() - length);
    const auto lead = static_cast<unsigned char>(tail[0]);
    if ((lead & 0xC0) == 0x80) continue;
    // A character that breaks off at the end of the text differs from one broken by its bytes in taking them
    // all.
    const Utf8Sequence sequence = first_utf8_sequence(tail);
    return lead >= 0xC2 && lead <= 0xF4 && !sequence.valid && sequence.length == length ? length : 0;
  }
  return 0;
}

std::string_view repaired(std::string_view text, std::string& buffer) {
  size_t good = valid_prefix(text);
  if (good == text.size()) return text;
  buffer.clear();
  buffer.reserve(text.size() + text.size() / 8);
  while (true) {
    buffer += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) return buffer;
    buffer += kReplacement;
    text.remove_prefix(first_utf8_sequence(text).length);
    good = valid_prefix(text);
  }
}

}  // namespace baleen
