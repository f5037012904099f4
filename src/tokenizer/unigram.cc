#include "tokenizer/unigram.h"

#include <algorithm>
#include <limits>

#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

/// The best way to a place in the piece: its last token and where that begins.
struct Node {
  double score = 0;
  uint32_t begin = kUnreached;
  int32_t token = -1;  // index; -1: a character without one

  static constexpr uint32_t kUnreached = std::numeric_limits<uint32_t>::max();
};

}  // namespace

void Unigram::add_token(std::string_view text, int32_t id, double score) {
  trie_.add(text, static_cast<int32_t>(tokens_.size()));
  tokens_.push_back({id, score});
}

void Unigram::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  std::vector<Node> nodes(piece.size() + 1);
  for (size_t begin = 0; begin < piece.size();) {
    const size_t character = sequence_length(piece[begin]);
    const double score = nodes[begin].score;
    bool whole_character = false;
    const auto offer = [&](size_t length, int32_t token, double total) {
      Node& node = nodes[begin + length];
      // Of equal sums the one found first stays (tokenizers, models/unigram/model.rs).
      if (node.begin == Node::kUnreached || total > node.score)
        node = {total, static_cast<uint32_t>(begin), token};
    };
    trie_.prefixes(piece.substr(begin), [&](size_t length, int32_t token) {
      offer(length, token, score + tokens_[static_cast<size_t>(token)].score);
      whole_character = whole_character || length == character;
    });
    if (!whole_character) offer(character, -1, score + unknown_score_);
    begin += character;
  }
  std::vector<Node> path;  // from the end; begin is each token's
  for (size_t end = piece.size(); end > 0; end = path.back().begin) path.push_back(nodes[end]);
  std::reverse(path.begin(), path.end());
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i].token >= 0) {
      ids.push_back(tokens_[static_cast<size_t>(path[i].token)].id);
      continue;
    }
    const size_t first = i;
    while (i + 1 < path.size() && path[i + 1].token < 0) ++i;
    const size_t end = i + 1 < path.size() ? path[i + 1].begin : piece.size();
    append_unknown(piece.substr(path[first].begin, end - path[first].begin), ids);
  }
}

/// Characters in a row that no token is.
void Unigram::append_unknown(std::string_view text, std::vector<int32_t>& ids) const {
  if (unknown_.byte_ids)
    for (const char byte : text) ids.push_back((*unknown_.byte_ids)[static_cast<unsigned char>(byte)]);
  else if (unknown_.unk >= 0)
    ids.push_back(unknown_.unk);
}

}  // namespace baleen
