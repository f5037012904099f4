// A quick hash of short texts, for tables inside this process.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace baleen {

inline uint64_t text_hash(std::string_view text) {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  const auto mix = [](uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * kMultiplier;
    return hash ^ hash >> 32;
  };
  uint64_t hash = text.size() * kMultiplier, word = 0;
  for (; text.size() > sizeof(word); text.remove_prefix(sizeof(word))) {
    std::memcpy(&word, text.data(), sizeof(word));
    hash = mix(hash, word);
  }
  word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return mix(hash, word);
}

}  // namespace baleen
