// Byte-pair merging: always the pair of lowest rank, the leftmost among equals.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenizer/flat_map.h"

namespace baleen {

class Merges {
 public:
  struct Merge {
    uint32_t rank = kNone;
    int32_t id = -1;  ///< what the pair becomes
  };
  static constexpr uint32_t kNone = ~uint32_t{0};  ///< a rank that no merge has

  explicit Merges(size_t expected = 0) : pairs_(expected) {}

  /// A later merge of the same pair replaces an earlier one.
  void add(int32_t left, int32_t right, Merge merge) { pairs_.set(key(left, right), merge); }
  Merge find(int32_t left, int32_t right) const {
    const Merge* merge = pairs_.find(key(left, right));
    return merge == nullptr ? Merge{} : *merge;
  }
  size_t size() const { return pairs_.size(); }

  /// Merges ids[from …] in place until no pair has a merge. About linear in their number, whatever they are.
  void apply(std::vector<int32_t>& ids, size_t from) const;

 private:
  static uint64_t key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t apply_short(int32_t* ids, size_t count) const;

  FlatMap<Merge> pairs_;
};

}  // namespace baleen
