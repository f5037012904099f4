// What turns a piece of text, as the pre-tokenizer cut it, into ids: the vocabulary's model.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace baleen {

class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  /// Appends the ids of `piece`, which is valid UTF-8 and not empty. May be called from several threads at
  /// once.
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) const = 0;
};

}  // namespace baleen
