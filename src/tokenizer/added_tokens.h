// Finds added tokens (control tokens and the like) in text: the longest at the leftmost place.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/trie.h"

namespace baleen {

/// What tokenizer.json says of an added token beside its text.
struct AddedTokenRules {
  bool single_word = false;                      ///< only where no word character stands beside it
  bool takes_left = false, takes_right = false;  ///< white space beside it belongs to it (lstrip, rstrip)
};

class AddedTokens {
 public:
  void add(std::string_view text, int32_t id, AddedTokenRules rules = {});

  struct Match {
    size_t begin, end;
    int32_t id;
  };
  /// The first match at or after `from`, where the one before it ended.
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  struct Token {
    int32_t id;
    AddedTokenRules rules;
  };

  Trie trie_;  // of indexes into tokens_
  std::vector<Token> tokens_;
  std::array<bool, 256> starts_{};
};

}  // namespace baleen
