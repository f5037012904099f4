// Malformed Hugging Face folders, each one change away from a small valid one.
#pragma once

#include <string>
#include <vector>

#include "formats/tiny_hub.h"

namespace baleen::test {

struct MalformedFolder {
  std::string what;
  std::string named;  ///< the field, tensor or file that the error must name
  Files files;
};

class HubCases {
 public:
  explicit HubCases(TinyHub (*make)() = TinyHub::llama) : make_(make) {}

  template <class Change>
  void add(std::string what, std::string named, Change change) {
    TinyHub hub = make_();
    change(hub);
    add_files(std::move(what), std::move(named), hub.files());
  }
  void add_files(std::string what, std::string named, Files files) {
    cases_.push_back({std::move(what), std::move(named), std::move(files)});
  }
  std::vector<MalformedFolder> take() { return std::move(cases_); }

 private:
  TinyHub (*make_)();
  std::vector<MalformedFolder> cases_;
};

/// Headers, entries, offsets; the tensors themselves; shards and their index.
std::vector<MalformedFolder> safetensors_cases();
/// config.json and generation_config.json.
std::vector<MalformedFolder> hub_config_cases();
/// Experts, latents, FP8 and prediction blocks: config.json, and tensors against it.
std::vector<MalformedFolder> deepseek_hub_cases();

std::vector<MalformedFolder> all_hub_cases();

/// A valid folder with a tokenizer and a template.
TinyHub llama_with_text();
/// tokenizer.json, tokenizer_config.json and templates: a Checkpoint may open them, no tokenizer or template is made.
std::vector<MalformedFolder> hub_text_cases();

}  // namespace baleen::test
