// The parts of a tokenizer.json (huggingface/tokenizers, file format 1.0), each read by what it says; a construct that
// is not known is reported by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/huggingface/json_node.h"
#include "tokenizer/huggingface/step_limit.h"
#include "tokenizer/state.h"
#include "tokenizer/token_table.h"

namespace baleen::huggingface {

/// "normalizer"; null adds nothing. What its steps do to a text is taken from `limit`.
void read_normalizer(const Node& node, StepLimit& limit, Normalizer& normalizer);

/// "pre_tokenizer": the stages, and whether ByteLevel comes last: then its alphabet need not be written for a model
/// that takes bytes.
struct PreTokenizer {
  std::vector<std::unique_ptr<PreTokenizerStage>> stages;
  bool ends_in_bytes = false;
};
PreTokenizer read_pre_tokenizer(const Node& node, StepLimit& limit);

/// "post_processor": the special tokens that it puts around a single text. Ids are below `vocabulary`.
struct Surroundings {
  std::vector<int32_t> prefix, suffix;
};
Surroundings read_post_processor(const Node& node, int32_t vocabulary);

/// "decoder": what a token's text becomes.
class Decoder {
 public:
  explicit Decoder(const Node& node);
  std::string bytes(std::string_view token) const;
  StartSpaces start_spaces() const { return start_; }

 private:
  void read(const Node& node);
  void read_metaspace(const Node& node);
  void read_replace(const Node& node);
  void read_strip(const Node& node);

  std::vector<std::function<std::string(std::string)>> steps_;
  StartSpaces start_;
  bool fused_ = false;
};

struct Token {
  std::string text;
  bool in_model = false;
  bool control = false;  ///< an added token that is "special"
  /// Whether text that merging makes into it becomes it.
  bool is_text() const { return in_model && !control; }
};
/// The tokens of "model" and "added_tokens".
struct Tokens {
  std::vector<Token> by_id;  ///< an empty text: no token has this id
  /// A token of the model; `node` is where it stands.
  void add(const Node& node, std::string_view text, int32_t id);
};
/// "model.vocab" into `tokens`.
void read_vocabulary(const Node& model, Tokens& tokens);

/// The model's tokens by text.
class ModelNames {
 public:
  /// The model's vocabulary has been read.
  explicit ModelNames(const Tokens& tokens);
  /// -1: the model has no such token.
  int32_t find(std::string_view text) const { return table_.find(text); }

 private:
  TokenTable table_;
};

/// "added_tokens" of tokenizer.json and "added_tokens_decoder" of tokenizer_config.json. A token that is there already
/// keeps its id, whatever they say, and what is said of it last counts, as in transformers.
class AddedTokensReader {
 public:
  AddedTokensReader(const ModelNames& names, Tokens& tokens) : names_(names), tokens_(tokens) {}
  void read_list(const Node& list);
  /// A token whose id is another's in tokenizer.json is left out.
  void read_decoder(const Node& decoder);
  /// Puts them into what `state`, whose normalizer is there already, finds in text.
  void finish(TokenizerState& state) const;

  struct Added {
    std::string text;
    int32_t id;
    bool normalized;
    AddedTokenRules rules;
  };
  const std::vector<Added>& all() const { return added_; }

 private:
  enum class Conflict { refused, skipped };
  void read_one(const Node& node, int32_t id, Conflict conflict);
  int32_t own_id(std::string_view text) const;

  const ModelNames& names_;
  Tokens& tokens_;
  std::vector<Added> added_;
  std::map<std::string, size_t, std::less<>> places_;  // by text, in added_
};

/// The two tokens of a merge: "left right" or ["left", "right"].
std::pair<std::string_view, std::string_view> read_pair(const Node& node);
/// The id of a token that tokenizer_config.json names, as a string or {"content": …}; -1 where it names none.
int32_t find_named(const Node& config, std::string_view key, const Tokens& tokens);
/// "model"; adds to the pre-tokenizer what it needs. Null only where a problem has been reported.
std::unique_ptr<PieceEncoder> read_model(const Node& model, const Tokens& tokens, const ModelNames& names,
                                         PreTokenizer& pre_tokenizer);

}  // namespace baleen::huggingface
