#include "tokenizer/huggingface/scores_of_merges.h"

#include <string>

#include "tokenizer/flat_map.h"
#include "tokenizer/huggingface/parts.h"
#include "tokenizer/token_table.h"
#include "tokenizer/utf8_text.h"

namespace baleen::huggingface {
namespace {

uint64_t pair_of(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(left) << 32) | static_cast<uint32_t>(right);
}

class Scores {
 public:
  Scores(const Node& merges, const Vocabulary& vocabulary) : merges_(merges), vocabulary_(vocabulary) {
    std::vector<uint8_t> all(vocabulary.tokens.size(), 1);
    for (const std::string& token : vocabulary.tokens) texts_.append(token);
    texts_.index(all);
  }

  std::optional<std::vector<float>> make() {
    for (const auto& [key, value] : merges_.value()) add(merges_.element(count_++, value));
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id)
      if (vocabulary_.types[id] == TokenType::normal) check_cuts(id);
    if (merges_.problem().found()) return std::nullopt;
    return std::move(scores_);
  }

 private:
  void add(const Node& merge) {
    const auto [left, right] = read_pair(merge);
    const int32_t id = texts_.find(std::string(left).append(right));
    if (id < 0) return merge.fail("names a token that the vocabulary lacks");
    float& score = scores_[static_cast<size_t>(id)];
    if (score == 0) score = -static_cast<float>(++made_);
    if (score != -static_cast<float>(made_))
      merge.fail(
          "an order of merges that has no name in GGUF files: what makes one token does not stand together");
    const int32_t left_id = texts_.find(left), right_id = texts_.find(right);
    if (left_id >= 0 && right_id >= 0) pairs_.set(pair_of(left_id, right_id), 1);
  }

  void check_cuts(size_t id) {
    const std::string_view text = vocabulary_.tokens[id];
    for (size_t cut = sequence_length(text[0]); cut < text.size(); cut += sequence_length(text[cut])) {
      const int32_t left = texts_.find(text.substr(0, cut)), right = texts_.find(text.substr(cut));
      if (!is_text(left) || !is_text(right) || pairs_.find(pair_of(left, right)) != nullptr) continue;
      return merges_.fail("a choice of merges that has no name in GGUF files: '" + std::string(text) +
                          "' is not made of '" + std::string(text.substr(0, cut)) + "' and the rest");
    }
  }

  bool is_text(int32_t id) const {
    return id >= 0 && vocabulary_.types[static_cast<size_t>(id)] == TokenType::normal;
  }

  const Node& merges_;
  const Vocabulary& vocabulary_;
  TokenTable texts_;
  std::vector<float> scores_ = std::vector<float>(vocabulary_.tokens.size());
  FlatMap<uint8_t> pairs_;
  size_t count_ = 0;
  int32_t made_ = 0;  // tokens so far
};

}  // namespace

std::optional<std::vector<float>> scores_of_merges(const Node& merges, const Vocabulary& vocabulary) {
  return Scores(merges, vocabulary).make();
}

}  // namespace baleen::huggingface
