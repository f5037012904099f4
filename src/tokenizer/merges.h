// Byte-pair merging: always the pair of lowest rank, the leftmost among equals.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenizer/flat_map.h"

namespace baleen {

class Merges {
 public:
  struct Merge {
    int32_t rank = kNone;
    int32_t id = -1;  ///< what the pair becomes
  };
  static constexpr int32_t kNone = INT32_MAX;  ///< a rank that no merge has
  static constexpr int kRankShift = 7;         ///< ranks leave so many bits free: they are below 2^24

  explicit Merges(size_t expected = 0);

  /// A later merge of the same pair replaces an earlier one.
  void add(int32_t left, int32_t right, Merge merge);
  Merge find(int32_t left, int32_t right) const {
    const uint64_t pair = key(left, right);
    const uint32_t bit = filter_bit(pair);
    if ((filter_[bit >> 6] >> (bit & 63) & 1) == 0) return {};
    const Merge* merge = pairs_.find(pair);
    return merge == nullptr ? Merge{} : *merge;
  }
  size_t size() const { return pairs_.size(); }

  /// Merges ids[from …] in place until no pair has a merge. About linear in their number, whatever they are.
  void apply(std::vector<int32_t>& ids, size_t from) const;

 private:
  static uint64_t key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  uint32_t filter_bit(uint64_t pair) const {
    return static_cast<uint32_t>((pair ^ pair >> 29) * 0xD6E8FEB86659FD93u >> filter_shift_);
  }

  FlatMap<Merge> pairs_;
  // Most pairs have no merge; a bit for each hash tells so from the cache.
  std::vector<uint64_t> filter_;
  int filter_shift_;
};

}  // namespace baleen
