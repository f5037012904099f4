// tokenizer.json and tokenizer_config.json to a tokenizer's state.
#include <algorithm>
#include <utility>

#include "formats/vocabulary_rules.h"
#include "tokenizer/huggingface/parts.h"

namespace baleen {
namespace {

using namespace huggingface;  // NOLINT: this file puts its parts together

/// The ends that config files name, and those that every family's names mean.
std::vector<int32_t> ends(const Vocabulary& vocabulary, int32_t eos, const Tokens& tokens) {
  Vocabulary known;
  for (const Token& token : tokens.by_id) {
    known.tokens.push_back(token.text);
    known.types.push_back(token.control ? TokenType::control : TokenType::normal);
  }
  known.end_of_generation = vocabulary.end_of_generation;
  known.end_of_generation.push_back(eos);
  add_known_ends(known);
  return known.end_of_generation;
}

void finish_tokens(const Tokens& tokens, const Decoder& decoder, TokenizerState& state) {
  for (const Token& token : tokens.by_id) {
    state.tokens.append(token.text.empty() ? "" : decoder.bytes(token.text));
    state.control.push_back(token.control);
  }
  state.start_spaces = decoder.start_spaces();
}

// A rendered prompt of at most 16 MiB stays below 2 GiB. Published files: 50 (NFKD, lower case, spaces as U+2581).
constexpr double kMostGrowth = 127;

std::unexpected<Error> bad_file(const std::string& name, const Problem& problem) {
  return bad_input(name + ": " + problem.error().message);
}

}  // namespace

int32_t huggingface::find_named(const Node& config, std::string_view key, const Tokens& tokens) {
  const Node node = config[key];
  if (node.is_null()) return -1;
  const std::string_view text =
      node.value().kind() == json::Kind::object ? node["content"].text() : node.text();
  // Added tokens come last and are the ones meant.
  for (size_t id = tokens.by_id.size(); id-- > 0;)
    if (tokens.by_id[id].text == text && !text.empty()) return static_cast<int32_t>(id);
  node.fail("'" + std::string(text) + "' is no token of tokenizer.json");
  return -1;
}

Result<std::unique_ptr<TokenizerState>> json_state(const Vocabulary& vocabulary) {
  auto document = json::Document::parse(vocabulary.tokenizer_json, json::kFileLimits);
  if (!document) return bad_input("tokenizer.json: " + document.error().message);
  const std::string_view config_text = vocabulary.tokenizer_config_json;
  auto config_document = json::Document::parse(config_text.empty() ? "{}" : config_text, json::kFileLimits);
  if (!config_document) return bad_input("tokenizer_config.json: " + config_document.error().message);

  Problem problem, config_problem;
  const Node root(document->root(), "", problem), model = root["model"];
  auto state = std::make_unique<TokenizerState>();
  if (root.value().kind() != json::Kind::object) problem.report("the file", "must be an object");
  StepLimit limit(kMostGrowth);
  read_normalizer(root["normalizer"], limit, state->normalizer);
  Tokens tokens;
  if (!problem.found()) read_vocabulary(model, tokens);
  if (problem.found()) return bad_file("tokenizer.json", problem);
  const ModelNames names(tokens);
  AddedTokensReader added(names, tokens);
  added.read_list(root["added_tokens"]);
  const Node config(config_document->root(), "", config_problem);
  if (!problem.found()) added.read_decoder(config["added_tokens_decoder"]);
  if (config_problem.found()) return bad_file("tokenizer_config.json", config_problem);
  added.finish(*state);
  PreTokenizer pre_tokenizer = read_pre_tokenizer(root["pre_tokenizer"], limit);
  if (!problem.found()) state->model = read_model(model, tokens, names, pre_tokenizer);
  state->stages = std::move(pre_tokenizer.stages);
  const Decoder decoder(root["decoder"]);
  Surroundings around =
      read_post_processor(root["post_processor"], static_cast<int32_t>(tokens.by_id.size()));
  if (problem.found()) return bad_file("tokenizer.json", problem);
  state->prefix = std::move(around.prefix);
  state->suffix = std::move(around.suffix);
  finish_tokens(tokens, decoder, *state);

  state->bos = find_named(config, "bos_token", tokens);
  if (state->bos < 0 && vocabulary.bos < state->tokens.size()) state->bos = vocabulary.bos;
  state->eos = find_named(config, "eos_token", tokens);
  if (config_problem.found()) return bad_file("tokenizer_config.json", config_problem);
  state->end_of_generation = ends(vocabulary, state->eos, tokens);
  return state;
}

}  // namespace baleen
