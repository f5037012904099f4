// GPT-2's byte alphabet: byte-level vocabularies write every byte as one printable character (the printable
// bytes of Latin-1 as themselves, the others from U+0100 on; OpenAI's gpt-2 encoder.py, bytes_to_unicode).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baleen {

/// The byte that a character stands for; nothing for a character outside the alphabet.
std::optional<uint8_t> byte_of(char32_t point);
/// The character of a byte.
char32_t character_of(uint8_t byte);

/// The bytes of a token's text; nothing where a character is outside the alphabet.
std::optional<std::string> bytes_of(std::string_view text);

/// The byte of a token written "<0x0A>", for vocabularies without a byte alphabet.
std::optional<uint8_t> byte_of_fallback(std::string_view token);

}  // namespace baleen
