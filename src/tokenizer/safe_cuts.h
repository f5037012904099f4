// Where a text may be cut before merging, because no token has what stands on both sides of the cut side by side.
#pragma once

#include <cstdint>
#include <vector>

namespace baleen {

/// The pairs of neighbours (bytes or characters) inside the tokens of a vocabulary, as bits by hash: chance hits only
/// cost a cut.
class SafeCuts {
 public:
  SafeCuts() : inside_(kBits / 64) {}
  void add(char32_t left, char32_t right) {
    inside_[bit(left, right) >> 6] |= uint64_t{1} << (bit(left, right) & 63);
  }
  bool safe(char32_t left, char32_t right) const {
    return (inside_[bit(left, right) >> 6] >> (bit(left, right) & 63) & 1) == 0;
  }

 private:
  static constexpr uint32_t kBits = 1 << 20;  // vocabularies have up to some 50,000 pairs of characters
  static uint32_t bit(char32_t left, char32_t right) {
    return (left * 0x9E3779B1u + right) * 0x85EBCA6Bu >> 12;
  }

  std::vector<uint64_t> inside_;
};

}  // namespace baleen
