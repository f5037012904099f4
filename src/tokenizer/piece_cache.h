// Texts repeat their words: remembers where in a text a piece stood last and which ids it gave.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/piece_encoder.h"
#include "tokenizer/splitters.h"
#include "tokenizer/text_hash.h"

namespace baleen {

/// For one text and the ids that it becomes. Direct-mapped: a newer piece takes an older one's place.
class PieceCache {
 public:
  explicit PieceCache(std::string_view text)
      : text_(text), entries_(std::bit_ceil(std::clamp<size_t>(text.size() / 16, 1, kMostEntries))) {}

  void encode(const PieceEncoder& model, Piece piece, std::vector<int32_t>& ids) {
    const std::string_view whole = text_of(piece);
    if (whole.size() <= kLongest) return recall(piece, kWhole, ids, [&] { model.encode(whole, ids); });
    size_t length = model.separable(whole);
    if (length == whole.size()) return model.encode(whole, ids);
    for (Piece part = {piece.begin, piece.begin}; part.begin < piece.end; part.begin = part.end) {
      length = model.separable(text_of({part.begin, piece.end}));
      part.end = part.begin + static_cast<uint32_t>(length);
      if (length > kLongest)
        model.encode_part(text_of(part), ids);
      else
        recall(part, kPart, ids, [&] { model.encode_part(text_of(part), ids); });
    }
  }

 private:
  static constexpr size_t kMostEntries = 8192;  // 160 KiB: stays in the second-level cache
  static constexpr size_t kLongest = 64;        // bytes; longer pieces seldom come again
  static constexpr uint64_t kMultiplier =
      0x9E3779B97F4A7C15;                           // 2^64 / golden ratio; texts in one place cost nothing
  static constexpr uint32_t kWhole = 0, kPart = 1;  // a part and a piece of equal text may have other ids
  struct Entry {
    uint32_t tag = 0;
    uint32_t begin = 0, size = 0;  // of the piece; size 0 matches none
    uint32_t ids = 0, count = 0;
  };

  std::string_view text_of(Piece piece) const { return text_.substr(piece.begin, piece.end - piece.begin); }

  /// The ids of a piece, from when it was met before where it was, else from `encode`.
  template <class Encode>
  void recall(Piece piece, uint32_t kind, std::vector<int32_t>& ids, const Encode& encode) {
    const std::string_view text = text_of(piece);
    const uint64_t hash = text_hash(text, kMultiplier);
    const uint32_t tag = static_cast<uint32_t>(hash) ^ kind;
    Entry& entry = entries_[hash >> 32 & (entries_.size() - 1)];
    if (entry.tag == tag && text_.substr(entry.begin, entry.size) == text) {
      for (uint32_t i = 0; i < entry.count; ++i) ids.push_back(ids[entry.ids + i]);
      return;
    }
    const size_t before = ids.size();
    encode();
    entry = {tag, piece.begin, static_cast<uint32_t>(text.size()), static_cast<uint32_t>(before),
             static_cast<uint32_t>(ids.size() - before)};
  }

  std::string_view text_;
  std::vector<Entry> entries_;
};

}  // namespace baleen
