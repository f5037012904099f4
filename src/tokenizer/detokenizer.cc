#include "tokenizer/state.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8_text.h"

namespace baleen {

size_t Detokenizer::spaces_at(Place place) const {
  return place == Place::start ? tokenizer_->state_->stripped_spaces : 0;
}

std::string Detokenizer::push(int32_t id) {
  if (special_ == Special::skip && tokenizer_->is_control(id)) return {};
  std::string_view bytes = tokenizer_->bytes(id);
  for (; spaces_ > 0 && bytes.starts_with(' '); --spaces_) bytes.remove_prefix(1);
  if (!bytes.empty()) spaces_ = 0;
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
