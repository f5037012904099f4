#include "formats/vocabulary_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace baleen {
namespace {

constexpr std::string_view kEnds[] = {
    "<|im_end|>",             // ChatML: Qwen, SmolLM, Yi
    "<|endoftext|>",          // GPT-2, Qwen, SmolLM
    "<|eot_id|>",             // Llama 3
    "<|eom_id|>",             // Llama 3.1
    "<|end_of_text|>",        // Llama 3, Granite
    "<|end|>",                // Phi 3
    "<end_of_turn>",          // Gemma
    "<｜end▁of▁sentence｜>",  // DeepSeek
};

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// NN of `<0xNN>`.
std::optional<uint8_t> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char digit : token.substr(3, 2)) {
    const int nibble = digit >= '0' && digit <= '9'   ? digit - '0'
                       : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                      : -1;
    if (nibble < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(nibble);
  }
  return static_cast<uint8_t>(value);
}

Result<void> check_bytes_of_bpe(const Vocabulary& vocabulary) {
  std::unordered_map<std::string, uint8_t> letters;
  for (unsigned byte = 0; byte < 256; ++byte) letters.emplace(byte_letter(static_cast<uint8_t>(byte)), byte);
  std::bitset<256> present;
  for (const std::string& token : vocabulary.tokens) {
    if (token.size() > 2) continue;  // letters end at U+0143
    if (const auto letter = letters.find(token); letter != letters.end()) present.set(letter->second);
  }
  for (unsigned byte = 0; byte < 0x7F; ++byte)
    if ((byte >= 0x20 || byte == '\n' || byte == '\t') && !present[byte])
      return bad_input(
          fmt::format("the byte 0x{:02X} is no token, so ordinary text could not be encoded", byte));
  return {};
}

Result<void> check_bytes_of_sentencepiece(const Vocabulary& vocabulary) {
  std::bitset<256> present;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    if (vocabulary.types[i] != TokenType::byte) continue;
    const auto byte = byte_of(vocabulary.tokens[i]);
    if (!byte) return bad_input(fmt::format("token {} is of type byte but does not read <0xNN>", i));
    present.set(*byte);
  }
  if (present.any() && !present.all()) {
    unsigned missing = 0;
    while (present[missing]) ++missing;
    return bad_input(fmt::format("the byte token <0x{:02X}> is missing, others are there", missing));
  }
  return {};
}

}  // namespace

std::string byte_letter(uint8_t byte) {
  unsigned code = byte;
  if (!stands_for_itself(byte)) {
    code = 0x100;
    for (unsigned before = 0; before < byte; ++before) code += stands_for_itself(before) ? 0 : 1;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

Result<void> check_vocabulary(const Vocabulary& vocabulary) {
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    if (vocabulary.tokens[i].empty() &&
        (vocabulary.types[i] == TokenType::control || vocabulary.types[i] == TokenType::user_defined))
      return bad_input(fmt::format("token {} is special and empty", i));
  switch (vocabulary.kind) {
    case VocabularyKind::none:
    case VocabularyKind::tokenizer_json:
      return {};
    case VocabularyKind::byte_bpe:
      return check_bytes_of_bpe(vocabulary);
    case VocabularyKind::sentencepiece:
      return check_bytes_of_sentencepiece(vocabulary);
  }
  return {};
}

void add_known_ends(Vocabulary& vocabulary) {
  auto& ends = vocabulary.end_of_generation;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
    if (vocabulary.types[i] == TokenType::control &&
        std::ranges::find(kEnds, vocabulary.tokens[i]) != std::end(kEnds))
      ends.push_back(static_cast<int32_t>(i));
  std::erase(ends, -1);
  std::ranges::sort(ends);
  const auto twins = std::ranges::unique(ends);
  ends.erase(twins.begin(), twins.end());
}

}  // namespace baleen
