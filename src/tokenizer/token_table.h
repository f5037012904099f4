// The texts of a vocabulary's tokens, by id and by text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/hash_secret.h"

namespace baleen {

/// Texts by id, in one buffer, and a hash index over those that a text may become.
class TokenTable {
 public:
  /// The next id's text.
  void append(std::string_view text);
  int32_t size() const { return static_cast<int32_t>(ends_.size()); }
  std::string_view text(int32_t id) const {
    const size_t begin = id == 0 ? 0 : ends_[static_cast<size_t>(id) - 1];
    return std::string_view(pool_).substr(begin, ends_[static_cast<size_t>(id)] - begin);
  }

  /// Makes find() know the ids for which `wanted` is not 0 (one entry an id). Of equal texts the last one
  /// counts.
  void index(const std::vector<uint8_t>& wanted);
  /// The id of an indexed text; -1 where there is none.
  int32_t find(std::string_view text) const;

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };
  size_t place(std::string_view text, uint64_t hash) const;

  std::string pool_;
  std::vector<uint32_t> ends_;
  std::vector<Slot> slots_;
  int shift_ = 63;  // of a hash, to a slot
  uint64_t multiplier_ = hash_secret();
  size_t longest_ = 0;
};

}  // namespace baleen
