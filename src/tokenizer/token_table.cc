#include "tokenizer/token_table.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "tokenizer/text_hash.h"

namespace baleen {

void TokenTable::append(std::string_view text) {
  CHECK(pool_.size() + text.size() < UINT32_MAX);
  pool_ += text;
  ends_.push_back(static_cast<uint32_t>(pool_.size()));
}

size_t TokenTable::place(std::string_view text, uint64_t hash) const {
  size_t i = hash >> shift_;
  while (slots_[i].id >= 0 &&
         (slots_[i].hash != static_cast<uint32_t>(hash) || this->text(slots_[i].id) != text))
    i = (i + 1) & (slots_.size() - 1);
  return i;
}

void TokenTable::index(const std::vector<uint8_t>& wanted) {
  CHECK(wanted.size() == ends_.size());
  slots_.assign(std::bit_ceil(wanted.size() * 2 + 2), Slot{});
  shift_ = 64 - std::countr_zero(slots_.size());
  for (int32_t id = 0; id < size(); ++id) {
    if (wanted[static_cast<size_t>(id)] == 0) continue;
    const uint64_t hash = text_hash(text(id), multiplier_);
    slots_[place(text(id), hash)] = {static_cast<uint32_t>(hash), id};
    longest_ = std::max(longest_, text(id).size());
  }
}

int32_t TokenTable::find(std::string_view text) const {
  if (text.size() > longest_) return -1;
  return slots_[place(text, text_hash(text, multiplier_))].id;
}

}  // namespace baleen
