// A vocabulary as a file states it; tokenizer/ makes it work.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baleen {

enum class VocabularyKind {
  none,
  byte_bpe,        ///< GGUF
  sentencepiece,   ///< GGUF
  tokenizer_json,  ///< a Hugging Face folder: what tokenizer_json says
};

/// GGUF's token types (tokenizer.ggml.token_type).
enum class TokenType : uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct Vocabulary {
  VocabularyKind kind = VocabularyKind::none;
  std::string pre;                  ///< tokenizer.ggml.pre: "gpt-2", "llama-bpe", "smollm", …
  std::vector<std::string> tokens;  ///< as the file writes them (byte-level BPE: GPT-2's byte alphabet)
  std::vector<TokenType> types;     ///< as many as tokens
  std::vector<float> scores;        ///< sentencepiece only
  std::vector<std::string> merges;  ///< byte-level BPE: "left right", best first
  int32_t bos = -1, eos = -1, eot = -1, unk = -1, sep = -1, pad = -1;  ///< -1: none
  std::vector<int32_t> end_of_generation;  ///< union of all that end an answer (eos, eot, eom …), sorted
  /// Kind tokenizer_json: the files' texts (the second may be empty), for tokenizer/ to read. Of the rest only bos and
  /// end_of_generation are filled: what config.json and generation_config.json name.
  std::string tokenizer_json, tokenizer_config_json;
  bool add_bos = false, add_eos = false, add_space_prefix = false;
};

}  // namespace baleen
