#include "tokenizer/as_gguf.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/huggingface/parts.h"
#include "tokenizer/huggingface/scores_of_merges.h"

namespace baleen {
namespace {

using namespace huggingface;  // NOLINT: this file puts its parts together

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581 stands for a space

void no_name(const Node& node, std::string_view what) {
  node.fail(std::string(what) + " has no name in GGUF files");
}

/// The elements of nested Sequences, in order; null is none.
std::vector<Node> flat(const Node& root, std::string_view list) {
  std::vector<Node> waiting = {root}, made;
  while (!waiting.empty()) {
    const Node node = waiting.back();
    waiting.pop_back();
    if (node.is_null()) continue;
    if (node.type() == "Sequence") {
      push_elements(node[list], waiting);
    } else {
      made.push_back(node);
    }
  }
  return made;
}

/// The splitter of a pre-tokenizer's stage; null is reported.
Splitter splitter_of(const Node& stage) {
  const std::string_view type = stage.type();
  if (type == "ByteLevel" && stage["use_regex"].flag(true)) return kSplitGpt2;
  if (type == "Digits")
    return splitter_of_expression(stage["individual_digits"].flag(false) ? R"(\p{N})" : R"(\p{N}+)");
  Splitter splitter = nullptr;
  if (type == "Split" && stage["behavior"].text() == "Isolated" && stage["pattern"].value().find("Regex"))
    splitter = splitter_of_expression(stage["pattern"]["Regex"].text());
  if (splitter == nullptr) no_name(stage, "this " + std::string(type));
  return splitter;
}

class Converter {
 public:
  Converter(const Node& root, const Node& config, const TokenizerState& state)
      : root_(root), config_(config), state_(state), model_(root["model"]) {}

  Vocabulary convert(int32_t rows) {
    read_tokens();
    if (!root_.problem().found()) read_model();
    if (!root_.problem().found()) read_named();
    fill_up(rows);
    return std::move(made_);
  }

 private:
  void read_tokens() {
    read_vocabulary(model_, tokens_);
    const ModelNames names(tokens_);
    AddedTokensReader added(names, tokens_);
    added.read_list(root_["added_tokens"]);
    added.read_decoder(config_["added_tokens_decoder"]);
    for (const Token& token : tokens_.by_id) {
      made_.tokens.push_back(token.text);
      made_.types.push_back(token.text.empty() ? TokenType::unused : TokenType::normal);
    }
    for (const AddedTokensReader::Added& each : added.all()) {
      const auto id = static_cast<size_t>(each.id);
      made_.types[id] = tokens_.by_id[id].control ? TokenType::control : TokenType::user_defined;
      in_normalized_ = in_normalized_ || each.normalized;
      if (each.rules.single_word || each.rules.takes_left || each.rules.takes_right)
        no_name(root_["added_tokens"], "single_word, lstrip or rstrip, which '" + each.text + "' has,");
    }
  }

  void read_model() {
    if (model_["merges"].is_null()) return no_name(model_, "the model '" + std::string(model_.type()) + "'");
    const std::vector<Node> stages = flat(root_["pre_tokenizer"], "pretokenizers");
    const bool bytes =
        !stages.empty() && stages.back().type() == "ByteLevel" && model_["unk_token"].is_null();
    made_.kind = bytes ? VocabularyKind::byte_bpe : VocabularyKind::sentencepiece;
    if (bytes) {
      read_byte_bpe(stages);
    } else {
      read_sentencepiece(stages);
    }
  }

  void read_byte_bpe(const std::vector<Node>& stages) {
    std::vector<Splitter> splitters;
    for (const Node& stage : stages) {
      const bool byte_level = stage.type() == "ByteLevel";
      if (byte_level && stage["add_prefix_space"].flag(true)) no_name(stage["add_prefix_space"], "true");
      if (!byte_level || stage["use_regex"].flag(true)) splitters.push_back(splitter_of(stage));
    }
    const std::vector<Node> steps = flat(root_["normalizer"], "normalizers");
    for (const Node& step : steps)
      if (step.type() != "NFC" || steps.size() > 1) no_name(step, "this " + std::string(step.type()));
    const bool whole = model_["ignore_merges"].flag(false);
    made_.pre = name_of_pre_tokenizer({"", splitters, !steps.empty(), whole});
    if (made_.pre.empty())
      no_name(root_["pre_tokenizer"], "this way to cut text, with its normalizer and ignore_merges,");
    size_t rank = 0;
    const Node merges = model_["merges"];
    for (const auto& [key, value] : merges.value()) {
      const auto [left, right] = read_pair(merges.element(rank++, value));
      made_.merges.push_back(std::string(left).append(" ").append(right));
    }
  }

  /// SentencePiece as llama.cpp knows it: spaces are marks, one is put in front of every text or none.
  void read_sentencepiece(const std::vector<Node>& stages) {
    if (model_["ignore_merges"].flag(false)) no_name(model_["ignore_merges"], "true");
    if (in_normalized_) no_name(root_["added_tokens"], "\"normalized\": true");
    made_.pre = "default";
    bool marks = false;
    for (const Node& step : flat(root_["normalizer"], "normalizers")) {
      const std::string_view type = step.type();
      if (type == "Prepend" && step["prepend"].text() == kMark && !marks) {
        made_.add_space_prefix = true;
      } else if (type == "Replace" && step["pattern"]["String"].text() == " " &&
                 step["content"].text() == kMark) {
        marks = true;
      } else {
        no_name(step, "this " + std::string(type));
      }
    }
    for (const Node& stage : stages) {
      const Node scheme = stage["prepend_scheme"];
      if (stage.type() != "Metaspace" || stage["split"].flag(true) || marks || stages.size() > 1)
        return no_name(stage, "this " + std::string(stage.type()));
      const std::string_view place = scheme.is_null() ? "always" : scheme.text();
      if (place == "first") return no_name(scheme, "\"first\"");
      made_.add_space_prefix = place == "always";
      marks = true;
    }
    if (!marks) return no_name(root_["pre_tokenizer"], "text whose spaces are not marked");
    read_byte_tokens();
    if (auto scores = scores_of_merges(model_["merges"], made_)) made_.scores = std::move(*scores);
  }

  void read_byte_tokens() {
    const bool fallback = model_["byte_fallback"].flag(false);
    size_t found = 0;
    for (size_t id = 0; id < made_.tokens.size(); ++id) {
      if (!fallback || made_.types[id] != TokenType::normal || !byte_of_fallback(made_.tokens[id])) continue;
      made_.types[id] = TokenType::byte;
      ++found;
    }
    if (found != 0) return;
    if (!model_["fuse_unk"].flag(false)) no_name(model_["fuse_unk"], "false without tokens of bytes");
  }

  void read_named() {
    made_.bos = state_.bos;
    made_.eos = state_.eos;
    made_.end_of_generation = state_.end_of_generation;
    if (made_.eos < 0 && !made_.end_of_generation.empty()) made_.eos = made_.end_of_generation.front();
    made_.unk = find_named(config_, "unk_token", tokens_);
    made_.pad = find_named(config_, "pad_token", tokens_);
    made_.sep = find_named(config_, "sep_token", tokens_);
    const Node unk = model_["unk_token"];
    if (made_.kind == VocabularyKind::sentencepiece && !unk.is_null()) {
      made_.unk = find_named(model_, "unk_token", tokens_);
      made_.types[static_cast<size_t>(made_.unk)] = TokenType::unknown;
    }
    // What is put around a text is its begin and end, where no file says so itself.
    if (made_.bos < 0 && state_.prefix.size() == 1) made_.bos = state_.prefix.front();
    if (made_.eos < 0 && state_.suffix.size() == 1) made_.eos = state_.suffix.front();
    made_.add_bos = !state_.prefix.empty();
    made_.add_eos = !state_.suffix.empty();
    const auto is_only = [](const std::vector<int32_t>& ids, int32_t id) {
      return ids.empty() || (ids.size() == 1 && ids.front() == id);
    };
    if (!is_only(state_.prefix, made_.bos) || !is_only(state_.suffix, made_.eos))
      no_name(root_["post_processor"], "anything but the tokens of begin and end around a text");
  }

  void fill_up(int32_t rows) {
    const auto wanted = static_cast<size_t>(rows);
    if (made_.tokens.size() > wanted)
      model_["vocab"].fail(std::to_string(made_.tokens.size()) + " tokens, the embedding matrix has " +
                           std::to_string(rows) + " rows");
    made_.tokens.resize(wanted);
    made_.types.resize(wanted, TokenType::unused);
    if (made_.kind == VocabularyKind::sentencepiece) made_.scores.resize(wanted);
    for (size_t id = 0; id < wanted; ++id)
      if (made_.tokens[id].empty()) made_.tokens[id] = "[PAD" + std::to_string(id) + "]";
  }

  const Node& root_;
  const Node& config_;
  const TokenizerState& state_;
  Node model_;
  Tokens tokens_;
  bool in_normalized_ = false;
  Vocabulary made_;
};

}  // namespace

Result<Vocabulary> as_gguf(const Vocabulary& tokenizer_json, int32_t rows) {
  auto state = json_state(tokenizer_json);  // what follows need not look for what is wrong in itself
  if (!state) return error_of(state);
  const std::string_view config_text = tokenizer_json.tokenizer_config_json;
  auto document = json::Document::parse(tokenizer_json.tokenizer_json, json::kFileLimits);
  auto config_document = json::Document::parse(config_text.empty() ? "{}" : config_text, json::kFileLimits);
  Problem problem;
  const Node root(document->root(), "", problem), config(config_document->root(), "", problem);
  Vocabulary made = Converter(root, config, **state).convert(rows);
  if (problem.found()) return bad_input("tokenizer.json: " + problem.error().message);
  return made;
}

}  // namespace baleen
