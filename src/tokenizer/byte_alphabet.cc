#include "tokenizer/byte_alphabet.h"

#include <array>
#include <charconv>

#include "base/utf8.h"

namespace baleen {
namespace {

constexpr bool is_printable(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr size_t kOthers = 68;  // bytes that are not printable

constexpr std::array<uint8_t, kOthers> kOtherBytes = [] {
  std::array<uint8_t, kOthers> bytes{};
  size_t count = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    if (!is_printable(byte)) bytes[count++] = static_cast<uint8_t>(byte);
  return bytes;
}();

constexpr std::array<char32_t, 256> kCharacters = [] {
  std::array<char32_t, 256> characters{};
  for (unsigned byte = 0; byte < 256; ++byte) characters[byte] = byte;
  for (size_t i = 0; i < kOthers; ++i) characters[kOtherBytes[i]] = static_cast<char32_t>(0x100 + i);
  return characters;
}();

}  // namespace

std::optional<uint8_t> byte_of(char32_t point) {
  if (point < 0x100) return is_printable(point) ? std::optional(static_cast<uint8_t>(point)) : std::nullopt;
  if (point < 0x100 + kOthers) return kOtherBytes[point - 0x100];
  return std::nullopt;
}

char32_t character_of(uint8_t byte) { return kCharacters[byte]; }

std::optional<uint8_t> byte_of_fallback(std::string_view token) {
  uint8_t byte = 0;
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  return error == std::errc() && end == token.data() + 5 ? std::optional(byte) : std::nullopt;
}

std::optional<std::string> bytes_of(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const Utf8Sequence sequence = first_utf8_sequence(text);
    const auto byte = byte_of(sequence.scalar);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    text.remove_prefix(sequence.length);
  }
  return bytes;
}

}  // namespace baleen
