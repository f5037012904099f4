// Finds added tokens (control tokens and the like) in text: the longest at the leftmost place.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tokenizer/flat_map.h"

namespace baleen {

class AddedTokens {
 public:
  void add(std::string_view text, int32_t id);

  struct Match {
    size_t begin, end;
    int32_t id;
  };
  /// The first match at or after `from`.
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  // A trie: node 0 is the root; edges by (node, byte).
  FlatMap<uint32_t> edges_;
  FlatMap<int32_t> ids_;  // of nodes where a token ends
  uint32_t nodes_ = 1;
  std::array<bool, 256> starts_{};
};

}  // namespace baleen
