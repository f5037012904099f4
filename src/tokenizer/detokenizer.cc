#include "tokenizer/state.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8_text.h"

namespace baleen {

std::string Detokenizer::push(int32_t id) {
  if (special_ == Special::skip && tokenizer_->is_control(id)) return {};
  pending_ += tokenizer_->bytes(id);
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
