// A hash map from 64-bit keys to small values in one array, for look-ups that a text makes for every
// character.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tokenizer/hash_secret.h"

namespace baleen {

/// Insert-only; linear probing at a load of at most one half. Keys must not be ~0. A file may choose them, so where
/// they lie is secret.
template <class Value>
class FlatMap {
 public:
  explicit FlatMap(size_t expected = 0)
      : slots_(std::bit_ceil(expected * 2 + 2)), shift_(shift_for(slots_.size())) {}

  /// Adds the key or replaces its value.
  void set(uint64_t key, Value value) {
    CHECK(key != kNoKey);
    if ((size_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    if (slot.key == kNoKey) ++size_;
    slot = {key, value};
  }
  /// Null where the key is not there.
  const Value* find(uint64_t key) const {
    const Slot& slot = slots_[place(key)];
    return slot.key == kNoKey ? nullptr : &slot.value;
  }
  size_t size() const { return size_; }

 private:
  static constexpr uint64_t kNoKey = ~uint64_t{0};
  struct Slot {
    uint64_t key = kNoKey;
    Value value{};
  };

  static int shift_for(size_t slots) { return 64 - std::countr_zero(slots); }
  size_t place(uint64_t key) const {
    // The upper bits of a product with a secret odd number, the key's halves mixed first.
    size_t i = static_cast<size_t>(((key ^ key >> 32) * multiplier_) >> shift_);
    while (slots_[i].key != key && slots_[i].key != kNoKey) i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  void grow() {
    FlatMap larger(slots_.size());
    for (const Slot& slot : slots_)
      if (slot.key != kNoKey) larger.set(slot.key, slot.value);
    *this = std::move(larger);
  }

  std::vector<Slot> slots_;
  int shift_;
  uint64_t multiplier_ = hash_secret();
  size_t size_ = 0;
};

}  // namespace baleen
