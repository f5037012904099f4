// Finds stop strings in a text that comes byte by byte, in time linear in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace baleen {

class StopMatcher {
 public:
  /// Empty strings are ignored.
  explicit StopMatcher(const std::vector<std::string>& stops);

  /// The length of the longest stop string that ends with this byte; 0: none.
  size_t push(char byte);
  /// How many of the last bytes may be the beginning of a stop string.
  size_t held() const { return held_; }

 private:
  // Knuth, Morris and Pratt's matcher of one string.
  struct Matcher {
    std::string stop;
    std::vector<uint32_t> border;  ///< [i]: longest proper prefix of stop that ends at i
    size_t matched = 0;
    bool push(char byte);
  };
  std::vector<Matcher> matchers_;
  size_t held_ = 0;
};

}  // namespace baleen
