#include "tokenizer/byte_bpe.h"

#include <utility>

namespace baleen {

ByteBpe::ByteBpe(TokenTable tokens, const std::array<int32_t, 256>& byte_ids, Merges merges,
                 WholePieces whole)
    : tokens_(std::move(tokens)),
      byte_ids_(byte_ids),
      merges_(std::move(merges)),
      whole_(whole),
      known_(new std::atomic<Whole>[static_cast<size_t>(tokens_.size())]()) {
  for (int32_t id = 0; id < tokens_.size(); ++id) {
    const std::string_view text = tokens_.text(id);
    for (size_t i = 1; i < text.size(); ++i)
      cuts_.add(static_cast<unsigned char>(text[i - 1]), static_cast<unsigned char>(text[i]));
  }
}

size_t ByteBpe::separable(std::string_view piece) const {
  for (size_t i = 1; i < piece.size(); ++i) {
    const auto left = static_cast<unsigned char>(piece[i - 1]), right = static_cast<unsigned char>(piece[i]);
    // Cuts inside characters would be sound too, but would make rarer parts. A dropped byte makes strangers meet.
    if ((right & 0xC0) != 0x80 && byte_ids_[left] >= 0 && byte_ids_[right] >= 0 && cuts_.safe(left, right))
      return i;
  }
  return piece.size();
}

void ByteBpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  if (whole_ == WholePieces::merged) return encode_part(piece, ids);
  const int32_t id = tokens_.find(piece);
  if (id < 0) return merge(piece, ids);
  ids.push_back(id);
}

void ByteBpe::encode_part(std::string_view piece, std::vector<int32_t>& ids) const {
  const int32_t id = tokens_.find(piece);
  if (id < 0) return merge(piece, ids);
  std::atomic<Whole>& known = known_[static_cast<size_t>(id)];
  const Whole whole = known.load(std::memory_order_relaxed);
  if (whole == Whole::itself) return ids.push_back(id);
  const size_t before = ids.size();
  merge(piece, ids);
  if (whole != Whole::not_known) return;
  const bool itself = ids.size() == before + 1 && ids.back() == id;
  known.store(itself ? Whole::itself : Whole::others, std::memory_order_relaxed);
}

void ByteBpe::merge(std::string_view piece, std::vector<int32_t>& ids) const {
  const size_t from = ids.size();
  for (const char byte : piece) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id >= 0) ids.push_back(id);
  }
  merges_.apply(ids, from);
}

}  // namespace baleen
