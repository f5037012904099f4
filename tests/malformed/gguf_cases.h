// Malformed GGUF files, each one change away from a small valid model.
#pragma once

#include <string>
#include <vector>

#include "formats/tiny_gguf.h"

namespace baleen::test {

struct MalformedCase {
  std::string what;
  std::string named;  ///< the field or tensor that the error must name
  std::string bytes;
};

/// Collects cases that start from a valid model.
class GgufCases {
 public:
  explicit GgufCases(TinyGguf (*make)() = TinyGguf::llama) : make_(make) {}

  template <class Change>
  void add(std::string what, std::string named, Change change) {
    TinyGguf file = make_();
    change(file);
    add_bytes(std::move(what), std::move(named), file.to_bytes());
  }
  void add_bytes(std::string what, std::string named, std::string bytes) {
    cases_.push_back({std::move(what), std::move(named), std::move(bytes)});
  }
  std::vector<MalformedCase> take() { return std::move(cases_); }

 private:
  TinyGguf (*make_)();
  std::vector<MalformedCase> cases_;
};

/// Header, keys, value types, strings, arrays, alignment.
std::vector<MalformedCase> gguf_structure_cases();
/// The tensor table: names, shapes, types, offsets.
std::vector<MalformedCase> gguf_table_cases();
/// Hyper-parameters, and tensors against them.
std::vector<MalformedCase> gguf_model_cases();
/// Experts, latents and prediction blocks.
std::vector<MalformedCase> deepseek_gguf_cases();
/// tokenizer.*
std::vector<MalformedCase> gguf_vocabulary_cases();

/// What only tokenizer and prompt can see: unknown pre-tokenizers, merges of unknown tokens.
std::vector<MalformedCase> gguf_text_cases();

/// All but the last.
std::vector<MalformedCase> all_gguf_cases();

}  // namespace baleen::test
