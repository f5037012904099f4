// The text of one choice as it comes into being: tokens in, text that is safe to show out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/generation_request.h"
#include "engine/stop_matcher.h"
#include "tokenizer/tokenizer.h"

namespace baleen {

/// Text and tokens that can no longer become part of a stop string.
struct ReadyText {
  std::string text;
  std::vector<TokenEvent> tokens;
  bool empty() const { return text.empty() && tokens.empty(); }
};

class ChoiceText {
 public:
  /// `tokenizer` may be null (a vocabulary without text): all texts are then empty.
  ChoiceText(const Tokenizer* tokenizer, const GenerationRequest& request);

  /// Adds a token. What it makes ready is in ready(); true once a stop string is complete. The stop string
  /// and the tokens that lie wholly in it are dropped.
  bool push(TokenEvent token);
  /// The choice has ended: all that was held back is ready, unless a stop string is found in it.
  bool finish();
  ReadyText take_ready() { return std::exchange(ready_, {}); }

 private:
  bool append(const std::string& piece);
  void release(size_t bytes);

  std::optional<Detokenizer> detokenizer_;
  StopMatcher stops_;
  std::string held_;  // text that is not ready yet; starts at offset released_ of the whole text
  size_t released_ = 0;
  struct HeldToken {
    TokenEvent event;
    size_t begin, end;  // of its text in the whole text
  };
  std::deque<HeldToken> tokens_;
  ReadyText ready_;
  bool stopped_ = false;
};

}  // namespace baleen
