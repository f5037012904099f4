#include "tokenizer/byte_bpe.h"

#include <utility>

namespace baleen {

ByteBpe::ByteBpe(const TokenTable& tokens, const std::array<int32_t, 256>& byte_ids, Merges merges,
                 WholePieces whole)
    : tokens_(tokens),
      byte_ids_(byte_ids),
      merges_(std::move(merges)),
      whole_(whole),
      known_(new std::atomic<Whole>[static_cast<size_t>(tokens.size())]()) {}

void ByteBpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  const int32_t id = tokens_.find(piece);
  if (id < 0) return merge(piece, ids);
  if (whole_ == WholePieces::taken) return ids.push_back(id);
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
