#include "engine/choice_text.h"

#include <utility>

#include "base/check.h"

namespace baleen {

ChoiceText::ChoiceText(const Tokenizer* tokenizer, const GenerationRequest& request) : stops_(request.stop) {
  if (tokenizer != nullptr)
    detokenizer_.emplace(*tokenizer,
                         request.keep_special ? Detokenizer::Special::keep : Detokenizer::Special::skip);
}

bool ChoiceText::push(TokenEvent token) {
  CHECK(!stopped_);
  const std::string piece = detokenizer_ ? detokenizer_->push(token.token) : std::string();
  const size_t begin = released_ + held_.size();
  tokens_.push_back({std::move(token), begin, begin + piece.size()});
  return append(piece);
}

bool ChoiceText::finish() {
  if (stopped_) return true;
  if (append(detokenizer_ ? detokenizer_->flush() : std::string())) return true;
  release(held_.size());
  return false;
}

bool ChoiceText::append(const std::string& piece) {
  for (char byte : piece) {
    held_ += byte;
    const size_t length = stops_.push(byte);
    if (length == 0) continue;
    stopped_ = true;
    held_.resize(held_.size() - length);
    break;
  }
  release(stopped_ ? held_.size() : held_.size() - stops_.held());
  return stopped_;
}

/// Makes the first `bytes` of what is held ready, with the tokens that end there; at a stop string, which
/// cuts the text there, also with the token that begins before it.
void ChoiceText::release(size_t bytes) {
  ready_.text.append(held_, 0, bytes);
  held_.erase(0, bytes);
  released_ += bytes;
  while (!tokens_.empty()) {
    const HeldToken& token = tokens_.front();
    if (token.end > released_ && !(stopped_ && token.begin < released_)) break;
    ready_.tokens.push_back(std::move(tokens_.front().event));
    tokens_.pop_front();
  }
  if (stopped_) tokens_.clear();
}

}  // namespace baleen
