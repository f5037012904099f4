// What every vocabulary must hold, whatever file it came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "formats/vocabulary.h"

namespace baleen {

/// GPT-2's byte alphabet: the character, in UTF-8, that stands for a byte in a byte-level BPE token. Bytes
/// 0x21–0x7E, 0xA1–0xAC and 0xAE–0xFF stand for themselves, the others follow from U+0100 (openai/gpt-2,
/// encoder.py).
std::string byte_letter(uint8_t byte);

/// Byte-level BPE: the bytes 0x20–0x7E, \n and \t are tokens. SentencePiece: byte tokens read `<0xNN>`, all
/// or none. A control or user-defined token is not empty. The message names the token.
Result<void> check_vocabulary(const Vocabulary& vocabulary);

/// Completes end_of_generation: files often name one end and mean several, so control tokens (and only those)
/// with a name that ends a turn or a text in every known model family are ends too. Sorts and drops -1.
void add_known_ends(Vocabulary& vocabulary);

}  // namespace baleen
