#include "tokenizer/added_tokens.h"

namespace baleen {
namespace {

uint64_t edge(uint32_t node, char byte) { return uint64_t{node} << 8 | static_cast<unsigned char>(byte); }

}  // namespace

void AddedTokens::add(std::string_view text, int32_t id) {
  if (text.empty()) return;
  starts_[static_cast<unsigned char>(text[0])] = true;
  uint32_t node = 0;
  for (char byte : text) {
    const uint32_t* next = edges_.find(edge(node, byte));
    if (next == nullptr) edges_.set(edge(node, byte), nodes_);
    node = next == nullptr ? nodes_++ : *next;
  }
  ids_.set(node, id);
}

std::optional<AddedTokens::Match> AddedTokens::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    std::optional<Match> longest;
    uint32_t node = 0;
    for (size_t i = begin; i < text.size(); ++i) {
      const uint32_t* next = edges_.find(edge(node, text[i]));
      if (next == nullptr) break;
      node = *next;
      if (const int32_t* id = ids_.find(node)) longest = Match{begin, i + 1, *id};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

}  // namespace baleen
