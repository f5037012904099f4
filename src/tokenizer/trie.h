// Texts by their bytes, to find those that a text starts with.
#pragma once

#include <string_view>

#include "tokenizer/flat_map.h"

namespace baleen {

class Trie {
 public:
  /// A later id of the same text replaces an earlier one. Empty texts are never found.
  void add(std::string_view text, int32_t id) {
    uint32_t node = 0;
    for (const char byte : text) {
      const uint32_t* next = edges_.find(edge(node, byte));
      if (next == nullptr) edges_.set(edge(node, byte), nodes_);
      node = next == nullptr ? nodes_++ : *next;
    }
    if (!text.empty()) ids_.set(node, id);
  }

  /// Calls found(length, id) for each text that `text` starts with, short ones first.
  template <class Found>
  void prefixes(std::string_view text, const Found& found) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t* next = edges_.find(edge(node, text[i]));
      if (next == nullptr) return;
      node = *next;
      if (const int32_t* id = ids_.find(node)) found(i + 1, *id);
    }
  }

 private:
  static uint64_t edge(uint32_t node, char byte) {
    return uint64_t{node} << 8 | static_cast<unsigned char>(byte);
  }

  FlatMap<uint32_t> edges_;  // by node and byte; node 0 is the root
  FlatMap<int32_t> ids_;     // of nodes where a text ends
  uint32_t nodes_ = 1;
};

}  // namespace baleen
