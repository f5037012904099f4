#include "tokenizer/state.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8_text.h"

namespace baleen {

std::string Detokenizer::push(int32_t id) {
  if (special_ == Special::skip && tokenizer_->is_control(id)) return {};
  std::string_view bytes = tokenizer_->bytes(id);
  if (at_start_) {
    const StartSpaces& spaces = tokenizer_->state_->start_spaces;
    const size_t most = spaces.drop == StartSpaces::Drop::none    ? 0
                        : spaces.drop == StartSpaces::Drop::first ? spaces.count
                                                                  : bytes.size();
    for (; dropped_ < most && bytes.starts_with(' '); ++dropped_) bytes.remove_prefix(1);
    at_start_ = bytes.empty() && spaces.drop == StartSpaces::Drop::first && dropped_ < most;
  }
  pending_ += bytes;
  const size_t held = incomplete_end(pending_);
  std::string buffer;
  std::string text(repaired(std::string_view(pending_).substr(0, pending_.size() - held), buffer));
  pending_.erase(0, pending_.size() - held);
  return text;
}

std::string Detokenizer::flush() {
  std::string buffer;
  std::string text(repaired(pending_, buffer));
  pending_.clear();
  return text;
}

}  // namespace baleen
