#include <algorithm>
#include <utility>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_bpe.h"
#include "tokenizer/char_bpe.h"
#include "tokenizer/huggingface/parts.h"
#include "tokenizer/unigram.h"

namespace baleen::huggingface {
namespace {

constexpr int32_t kMostTokens = 1 << 20;  // contract.md: vocabularies of up to 1 M
constexpr size_t kLongestToken = 4096;
constexpr double kUnknownPenalty = 10;  // tokenizers, models/unigram/model.rs: K_UNK_PENALTY

/// A byte that every byte-level vocabulary must have (contract.md).
bool is_required(unsigned byte) { return (byte >= 0x20 && byte <= 0x7E) || byte == '\n' || byte == '\t'; }

Merges read_merges(const Node& node, const Tokens& tokens, const ModelNames& names) {
  if (!node.expect_array()) return Merges();
  Merges merges(node.value().size());
  int32_t rank = 0;
  for (const auto& [key, value] : node.value()) {
    const Node merge = node.element(static_cast<size_t>(rank), value);
    const auto [left, right] = read_pair(merge);
    if (merge.problem().found()) break;
    const int32_t left_id = names.find(left), right_id = names.find(right);
    const int32_t id = names.find(std::string(left).append(right));
    if (left_id < 0 || right_id < 0 || id < 0) {
      merge.fail("names a token that the vocabulary lacks");
      break;
    }
    if (tokens.by_id[static_cast<size_t>(id)].is_text()) merges.add(left_id, right_id, {rank, id});
    ++rank;
  }
  return merges;
}

/// The tokens <0x00> to <0xFF>; nothing where there is none.
std::optional<std::array<int32_t, 256>> read_byte_tokens(const Node& flag, const Tokens& tokens) {
  if (!flag.flag(false)) return std::nullopt;
  std::array<int32_t, 256> ids;
  ids.fill(-1);
  for (size_t id = 0; id < tokens.by_id.size(); ++id)
    if (const auto byte = byte_of_fallback(tokens.by_id[id].text); byte && tokens.by_id[id].in_model)
      ids[*byte] = static_cast<int32_t>(id);
  const auto missing = std::ranges::count(ids, -1);
  if (missing == 256) return std::nullopt;
  if (missing > 0) flag.fail("some of the tokens <0x00> to <0xFF> are missing");
  return ids;
}

std::unique_ptr<PieceEncoder> read_byte_bpe(const Node& model, const Tokens& tokens,
                                            const ModelNames& names) {
  TokenTable bytes;
  std::vector<uint8_t> wanted;
  for (size_t id = 0; id < tokens.by_id.size(); ++id) {
    const auto text = bytes_of(tokens.by_id[id].text);
    bytes.append(text.value_or(""));
    wanted.push_back(text && tokens.by_id[id].is_text());
  }
  bytes.index(wanted);
  std::array<int32_t, 256> byte_ids;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    byte_ids[byte] = bytes.find({&text, 1});
    if (byte_ids[byte] < 0 && is_required(byte))
      model["vocab"].fail("has no token for the byte " + std::to_string(byte));
  }
  Merges merges = read_merges(model["merges"], tokens, names);
  const bool whole = model["ignore_merges"].flag(false);
  return std::make_unique<ByteBpe>(std::move(bytes), byte_ids, std::move(merges),
                                   whole ? WholePieces::taken : WholePieces::merged);
}

int32_t read_unk(const Node& node, const ModelNames& names) {
  if (node.is_null()) return -1;
  const int32_t id = names.find(node.text());
  if (id < 0) node.fail("names a token that the vocabulary lacks");
  return id;
}

std::unique_ptr<PieceEncoder> read_char_bpe(const Node& model, const Tokens& tokens,
                                            const ModelNames& names) {
  UnknownCharacters unknown;
  unknown.byte_ids = read_byte_tokens(model["byte_fallback"], tokens);
  unknown.unk = read_unk(model["unk_token"], names);
  unknown.runs =
      model["fuse_unk"].flag(false) ? UnknownCharacters::Runs::fused : UnknownCharacters::Runs::one_each;
  auto made = std::make_unique<CharBpe>(read_merges(model["merges"], tokens, names), unknown);
  TokenTable texts;
  std::vector<uint8_t> wanted;
  for (size_t id = 0; id < tokens.by_id.size(); ++id) {
    const std::string& text = tokens.by_id[id].text;
    wanted.push_back(tokens.by_id[id].is_text());
    texts.append(text);
    if (wanted.back() != 0) made->add_token(text, static_cast<int32_t>(id));
  }
  texts.index(wanted);
  if (model["ignore_merges"].flag(false)) made->take_whole_pieces(std::move(texts));
  return made;
}

/// For a model that takes characters.
void write_alphabet(PreTokenizer& pre) {
  if (pre.ends_in_bytes) pre.stages.push_back(write_byte_alphabet());
}

bool is_absent(const Node& node) { return node.is_null() || node.value().string() == ""; }

std::unique_ptr<PieceEncoder> read_bpe(const Node& model, const Tokens& tokens, const ModelNames& names,
                                       PreTokenizer& pre) {
  for (const std::string_view name : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!is_absent(model[name])) model[name].fail("is not supported");
  const Node dropout = model["dropout"];
  if (!dropout.is_null() && dropout.number() != 0) dropout.fail("is not supported");
  const bool bytes = pre.ends_in_bytes && model["unk_token"].is_null();
  if (bytes) return read_byte_bpe(model, tokens, names);
  write_alphabet(pre);
  return read_char_bpe(model, tokens, names);
}

std::unique_ptr<PieceEncoder> read_unigram(const Node& model, const Tokens& tokens) {
  UnknownCharacters unknown;
  unknown.byte_ids = read_byte_tokens(model["byte_fallback"], tokens);
  if (!model["unk_id"].is_null()) {
    unknown.unk = model["unk_id"].integer(kMostTokens);
    if (static_cast<size_t>(unknown.unk) >= model["vocab"].value().size())
      model["unk_id"].fail("is outside the vocabulary");
  }
  double lowest = 0;
  std::vector<double> scores;
  size_t index = 0;
  const Node vocabulary = model["vocab"];
  for (const auto& [key, pair] : vocabulary.value()) {
    const Node entry = vocabulary.element(index++, pair);
    auto member = pair.begin();
    scores.push_back(entry.element(1, (*++member).second).number());
    lowest = std::min(lowest, scores.back());
  }
  auto made = std::make_unique<Unigram>(unknown, lowest - kUnknownPenalty);
  for (size_t id = 0; id < scores.size(); ++id) {
    const Token& token = tokens.by_id[id];
    if (token.is_text()) made->add_token(token.text, static_cast<int32_t>(id), scores[id]);
  }
  return made;
}

}  // namespace

std::pair<std::string_view, std::string_view> read_pair(const Node& node) {
  if (node.value().kind() == json::Kind::array) {
    std::string_view parts[2];
    size_t count = 0;
    for (const auto& [key, value] : node.value()) {
      if (count < 2) parts[count] = node.element(count, value).text();
      ++count;
    }
    if (count != 2) node.fail("must be two tokens");
    return {parts[0], parts[1]};
  }
  const std::string_view text = node.text();
  const size_t space = text.find(' ');
  if (space == text.npos || text.find(' ', space + 1) != text.npos) {
    node.fail("must be two tokens with a space between");
    return {};
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

void Tokens::add(const Node& node, std::string_view text, int32_t id) {
  if (text.size() > kLongestToken) return node.fail("a token of over 4 KiB");
  if (static_cast<size_t>(id) >= by_id.size()) by_id.resize(static_cast<size_t>(id) + 1);
  Token& token = by_id[static_cast<size_t>(id)];
  if (token.in_model) return node.fail("the id " + std::to_string(id) + " is used twice");
  token.text = text;
  token.in_model = true;
}

ModelNames::ModelNames(const Tokens& tokens) {
  std::vector<uint8_t> in_model;
  for (const Token& token : tokens.by_id) {
    table_.append(token.text);
    in_model.push_back(token.in_model);
  }
  table_.index(in_model);
}

void read_vocabulary(const Node& model, Tokens& tokens) {
  const Node vocabulary = model["vocab"];
  const bool pairs = vocabulary.value().kind() == json::Kind::array;
  if (!pairs && vocabulary.value().kind() != json::Kind::object)
    return vocabulary.fail("must be a vocabulary");
  if (vocabulary.value().size() > static_cast<size_t>(kMostTokens)) return vocabulary.fail("over 1 M tokens");
  int32_t index = 0;
  for (const auto& [key, value] : vocabulary.value()) {
    if (model.problem().found()) return;
    if (pairs) {
      const Node pair = vocabulary.element(static_cast<size_t>(index), value);
      if (value.kind() != json::Kind::array || value.size() != 2)
        return pair.fail("must be a token and its score");
      tokens.add(pair, pair.element(0, (*value.begin()).second).text(), index++);
    } else {
      const Node id(value, "model.vocab[\"" + std::string(key) + "\"]", model.problem());
      tokens.add(id, key, id.integer(kMostTokens - 1));
    }
  }
  if (tokens.by_id.empty()) vocabulary.fail("is empty");
}

std::unique_ptr<PieceEncoder> read_model(const Node& model, const Tokens& tokens, const ModelNames& names,
                                         PreTokenizer& pre) {
  // Files from before 2021 name no type; they are BPE.
  const bool unnamed = model["type"].is_null() && !model["merges"].is_null();
  const std::string_view type = unnamed ? "BPE" : model.type();
  if (type == "BPE") return read_bpe(model, tokens, names, pre);
  if (type == "Unigram") {
    write_alphabet(pre);
    return read_unigram(model, tokens);
  }
  model.fail("the model '" + std::string(type) + "' is not supported");
  return nullptr;
}

}  // namespace baleen::huggingface
