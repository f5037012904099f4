// The parts of a tokenizer.json (huggingface/tokenizers, file format 1.0), each read by what it says; a construct that
// is not known is reported by name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tokenizer/huggingface/json_node.h"
#include "tokenizer/state.h"

namespace baleen::huggingface {

/// "normalizer"; null adds nothing.
void read_normalizer(const Node& node, Normalizer& normalizer);

/// "pre_tokenizer": the stages, and whether ByteLevel comes last: then its alphabet need not be written for a model
/// that takes bytes.
struct PreTokenizer {
  std::vector<std::unique_ptr<PreTokenizerStage>> stages;
  bool ends_in_bytes = false;
};
PreTokenizer read_pre_tokenizer(const Node& node);

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
};
/// The tokens of "model" and "added_tokens".
struct Tokens {
  std::vector<Token> by_id;  ///< an empty text: no token has this id
  /// A token of the model; `node` is where it stands.
  void add(const Node& node, std::string_view text, int32_t id);
};
/// "model.vocab" into `tokens`.
void read_vocabulary(const Node& model, Tokens& tokens);
/// "added_tokens" into `tokens` and what `state` finds in text. Its normalizer is there already.
void read_added_tokens(const Node& list, Tokens& tokens, TokenizerState& state);
/// "model"; adds to the pre-tokenizer what it needs. Null only where a problem has been reported.
std::unique_ptr<PieceEncoder> read_model(const Node& model, const Tokens& tokens,
                                         PreTokenizer& pre_tokenizer);

}  // namespace baleen::huggingface
