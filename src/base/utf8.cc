#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace baleen {

bool is_utf8(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  while (!text.empty()) {
    uint64_t word;
    if (text.size() >= sizeof(word)) {  // eight ASCII characters at once
      std::memcpy(&word, text.data(), sizeof(word));
      if ((word & kHighBits) == 0) {
        text.remove_prefix(sizeof(word));
        continue;
      }
    }
    const Utf8Sequence sequence = first_utf8_sequence(text);
    if (!sequence.valid) return false;
    text.remove_prefix(sequence.length);
  }
  return true;
}

}  // namespace baleen
