#include "tokenizer/tokenizer.h"

#include <utility>

#include "base/check.h"
#include "tokenizer/piece_cache.h"
#include "tokenizer/state.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

Result<std::unique_ptr<TokenizerState>> make_state(const Vocabulary& vocabulary) {
  if (vocabulary.types.size() != vocabulary.tokens.size())
    return bad_input("tokenizer.ggml.token_type: not one type for each token");
  switch (vocabulary.kind) {
    case VocabularyKind::byte_bpe:
      return byte_bpe_state(vocabulary);
    case VocabularyKind::sentencepiece:
      return sentencepiece_state(vocabulary);
    case VocabularyKind::tokenizer_json:
      return json_state(vocabulary);
    case VocabularyKind::none:
      break;
  }
  return bad_input("tokenizer.ggml.model (in a folder tokenizer.json): there is no vocabulary");
}

}  // namespace

Result<Tokenizer> Tokenizer::make(const Vocabulary& vocabulary) {
  auto state = make_state(vocabulary);
  if (!state) return error_of(state);
  if (vocabulary.kind == VocabularyKind::tokenizer_json) return Tokenizer(std::move(*state));
  (*state)->bos = vocabulary.bos;
  (*state)->eos = vocabulary.eos;
  if (vocabulary.add_bos && vocabulary.bos >= 0) (*state)->prefix.push_back(vocabulary.bos);
  if (vocabulary.add_eos && vocabulary.eos >= 0) (*state)->suffix.push_back(vocabulary.eos);
  (*state)->end_of_generation = vocabulary.end_of_generation;
  return Tokenizer(std::move(*state));
}

Tokenizer::Tokenizer(std::unique_ptr<TokenizerState> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

/// Text between added tokens.
struct Tokenizer::Segment {
  std::string_view text;
  bool starts_sequence;  // no added token stands before it
  bool special;          // added tokens that are matched in normalised text are recognised
};

void Tokenizer::encode_between(const Segment& segment, std::vector<int32_t>& ids) const {
  if (segment.text.empty()) return;
  std::string repair_buffer;
  Normalizer::Buffers buffers;
  const std::string_view text = state_->normalizer.apply(repaired(segment.text, repair_buffer), buffers);
  size_t from = 0;
  while (segment.special) {
    const auto match = state_->added_normalized.find(text, from);
    if (!match) break;
    encode_pieces({text.substr(from, match->begin - from), segment.starts_sequence && from == 0, true}, ids);
    ids.push_back(match->id);
    from = match->end;
  }
  encode_pieces({text.substr(from), segment.starts_sequence && from == 0, segment.special}, ids);
}

/// Normalised text without added tokens.
void Tokenizer::encode_pieces(const Segment& segment, std::vector<int32_t>& ids) const {
  if (segment.text.empty()) return;
  CHECK(segment.text.size() < INT32_MAX && ids.size() < INT32_MAX);
  PieceList list{
      segment.text, {{0, static_cast<uint32_t>(segment.text.size())}}, segment.starts_sequence, {}};
  for (const auto& stage : state_->stages) stage->apply(list);
  PieceCache cache(list.text);
  for (const Piece piece : list.pieces) cache.encode(*state_->model, piece, ids);
}

void Tokenizer::encode_text(std::string_view text, std::vector<int32_t>& ids) const {
  encode_between({text, true, false}, ids);
}

void Tokenizer::encode_special(std::string_view text, std::vector<int32_t>& ids) const {
  size_t from = 0;
  while (const auto match = state_->added.find(text, from)) {
    encode_between({text.substr(from, match->begin - from), from == 0, true}, ids);
    ids.push_back(match->id);
    from = match->end;
  }
  encode_between({text.substr(from), from == 0, true}, ids);
}

std::vector<int32_t> Tokenizer::encode(const std::vector<Span>& spans) const {
  std::vector<int32_t> ids;
  for (const Span& span : spans)
    if (span.special)
      encode_special(span.text, ids);
    else
      encode_text(span.text, ids);
  return ids;
}

std::string_view Tokenizer::bytes(int32_t id) const {
  return id >= 0 && id < size() ? state_->tokens.text(id) : std::string_view{};
}

bool Tokenizer::is_control(int32_t id) const {
  return id >= 0 && id < size() && state_->control[static_cast<size_t>(id)] != 0;
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids) const {
  Detokenizer detokenizer(*this, Detokenizer::Special::keep, Detokenizer::Place::start);
  std::string text;
  for (const int32_t id : ids) text += detokenizer.push(id);
  return text + detokenizer.flush();
}

std::string_view Tokenizer::kind() const { return state_->model->kind(); }
const std::vector<std::string>& Tokenizer::added_texts() const { return state_->added_texts; }
int32_t Tokenizer::size() const { return state_->tokens.size(); }
int32_t Tokenizer::bos() const { return state_->bos; }
int32_t Tokenizer::eos() const { return state_->eos; }
const std::vector<int32_t>& Tokenizer::prefix() const { return state_->prefix; }
const std::vector<int32_t>& Tokenizer::suffix() const { return state_->suffix; }
const std::vector<int32_t>& Tokenizer::end_of_generation() const { return state_->end_of_generation; }

}  // namespace baleen
