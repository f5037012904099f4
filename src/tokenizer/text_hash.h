// A quick hash of short texts, for tables inside this process.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace baleen {

/// Its upper bits are the good ones. `multiplier` is odd: hash_secret() where many texts in one place would be slow.
inline uint64_t text_hash(std::string_view text, uint64_t multiplier) {
  uint64_t hash = text.size() * multiplier, word = 0;
  const auto mix = [&] { hash = ((hash ^ hash >> 32) ^ word) * multiplier; };
  for (; text.size() > sizeof(word); text.remove_prefix(sizeof(word))) {
    std::memcpy(&word, text.data(), sizeof(word));
    mix();
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  mix();
  return hash;
}

}  // namespace baleen
