#include "tokenizer/huggingface/parts.h"

namespace baleen::huggingface {
namespace {

constexpr int32_t kMostTokens = 1 << 20;  // contract.md: vocabularies of up to 1 M
constexpr size_t kLongestToken = 4096;

void read_one(const Node& node, Tokens& tokens, TokenizerState& state) {
  const std::string_view text = node["content"].text();
  const int32_t id = node["id"].integer(kMostTokens - 1);
  const bool special = node["special"].flag(false);
  const bool normalized = node["normalized"].flag(!special);
  const AddedTokenRules rules = {node["single_word"].flag(false), node["lstrip"].flag(false),
                                 node["rstrip"].flag(false)};
  if (text.size() > kLongestToken) node["content"].fail("a token of over 4 KiB");
  if (node.problem().found() || text.empty()) return;

  if (static_cast<size_t>(id) >= tokens.by_id.size()) tokens.by_id.resize(static_cast<size_t>(id) + 1);
  Token& token = tokens.by_id[static_cast<size_t>(id)];
  if (!token.text.empty() && token.text != text)
    return node["id"].fail(std::to_string(id) + " is another token's, '" + token.text + "'");
  token.text = text;
  token.control = token.control || special;
  if (!normalized) return state.added.add(text, id, rules);
  Normalizer::Buffers buffers;
  state.added_normalized.add(state.normalizer.apply(text, buffers), id, rules);
}

}  // namespace

void read_added_tokens(const Node& list, Tokens& tokens, TokenizerState& state) {
  if (list.is_null() || !list.expect_array()) return;
  size_t index = 0;
  for (const auto& [key, value] : list.value()) {
    const Node node = list.element(index++, value);
    if (value.kind() != json::Kind::object) return node.fail("must be an object");
    read_one(node, tokens, state);
    if (node.problem().found()) return;
  }
}

}  // namespace baleen::huggingface
