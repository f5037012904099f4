// What turns a piece of text, as the pre-tokenizer cut it, into ids: the vocabulary's model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace baleen {

/// Whether a piece that is a token is taken without merging (tokenizer.json's ignore_merges; Llama 3).
enum class WholePieces { taken, merged };

class PieceEncoder {
 public:
  virtual ~PieceEncoder() = default;
  virtual std::string_view kind() const = 0;
  /// Appends the ids of `piece`, which is valid UTF-8 and not empty. May be called from several threads at
  /// once.
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) const = 0;
  /// Length of a first part of `piece` that may be encoded apart from the rest, which is all of it in the worst case.
  virtual size_t separable(std::string_view piece) const { return piece.size(); }
  /// Like encode, for such a part.
  virtual void encode_part(std::string_view part, std::vector<int32_t>& ids) const { encode(part, ids); }
};

}  // namespace baleen
