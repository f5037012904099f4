#include <charconv>

#include "tokenizer/huggingface/parts.h"

namespace baleen::huggingface {
namespace {

constexpr int32_t kMostTokens = 1 << 20;  // contract.md: vocabularies of up to 1 M
constexpr size_t kLongestToken = 4096;

}  // namespace

/// The id that a text has already; -1: none.
int32_t AddedTokensReader::own_id(std::string_view text) const {
  const auto found = places_.find(text);
  return found != places_.end() ? added_[found->second].id : names_.find(text);
}

void AddedTokensReader::read_one(const Node& node, int32_t id, Conflict conflict) {
  const std::string_view text = node["content"].text();
  const bool special = node["special"].flag(false);
  Added added = {std::string(text), own_id(text), node["normalized"].flag(!special), {}};
  added.rules = {node["single_word"].flag(false), node["lstrip"].flag(false), node["rstrip"].flag(false)};
  if (text.size() > kLongestToken) node["content"].fail("a token of over 4 KiB");
  if (node.problem().found() || text.empty()) return;

  if (added.id < 0) added.id = id;
  const auto index = static_cast<size_t>(added.id);
  if (index >= tokens_.by_id.size()) tokens_.by_id.resize(index + 1);
  Token& token = tokens_.by_id[index];
  if (!token.text.empty() && token.text != text) {
    if (conflict == Conflict::skipped) return;
    return node["id"].fail(std::to_string(id) + " is another token's, '" + token.text + "'");
  }
  token.text = text;
  token.control = token.control || special;
  const auto [place, is_new] = places_.emplace(text, added_.size());
  if (is_new)
    added_.push_back(std::move(added));
  else
    added_[place->second] = std::move(added);
}

void AddedTokensReader::read_list(const Node& list) {
  if (list.is_null() || !list.expect_array()) return;
  size_t index = 0;
  for (const auto& [key, value] : list.value()) {
    const Node node = list.element(index++, value);
    if (value.kind() != json::Kind::object) return node.fail("must be an object");
    read_one(node, node["id"].integer(kMostTokens - 1), Conflict::refused);
    if (node.problem().found()) return;
  }
}

void AddedTokensReader::read_decoder(const Node& decoder) {
  if (decoder.is_null()) return;
  if (decoder.value().kind() != json::Kind::object) return decoder.fail("must be an object");
  for (const auto& [key, value] : decoder.value()) {
    const Node node(value, decoder.path() + "[\"" + std::string(key) + "\"]", decoder.problem());
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    const bool whole = error == std::errc() && end == key.data() + key.size();
    if (!whole || id < 0 || id >= kMostTokens) return node.fail("is no token's id");
    if (value.kind() != json::Kind::object) return node.fail("must be an object");
    read_one(node, id, Conflict::skipped);
    if (node.problem().found()) return;
  }
}

void AddedTokensReader::finish(TokenizerState& state) const {
  Normalizer::Buffers buffers;
  for (const Added& added : added_) {
    state.added_texts.push_back(added.text);
    if (added.normalized)
      state.added_normalized.add(state.normalizer.apply(added.text, buffers), added.id, added.rules);
    else
      state.added.add(added.text, added.id, added.rules);
  }
}

}  // namespace baleen::huggingface
