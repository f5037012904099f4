// A small valid tokenizer.json, and wrong values for each of its fields.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baleen::test {

/// A small valid file; tests replace parts of it.
inline constexpr std::string_view kTokenizerJson = R"({
  "added_tokens": [{"id": 6, "content": "<s>", "special": true, "normalized": false, "lstrip": false, "rstrip": false,
                    "single_word": false}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"String": " "},
                                                     "content": "_"}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "[0-9]"}, "behavior": "Isolated", "invert": false},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "never", "split": true}]},
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [6]}}},
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"}, "content": " "},
      {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "dropout": null, "unk_token": "?", "fuse_unk": true, "byte_fallback": false,
            "ignore_merges": false, "vocab": {"?": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "1": 5}, "merges": ["a b"]}
})";

/// The file with the first `from` replaced.
std::string changed_tokenizer_json(std::string_view from, std::string_view to);

/// A field's text in the file, and wrong ones in its place.
struct MalformedValue {
  const char* from;
  std::vector<const char*> to;
  const char* named;  ///< what the error must name
};
std::span<const MalformedValue> malformed_values();

}  // namespace baleen::test
