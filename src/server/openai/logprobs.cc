#include "server/openai/logprobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/utf8.h"

namespace baleen::openai {
namespace {

// What OpenAI writes for a token without probability: JSON has no infinity.
constexpr float kNoProbability = -9999.0F;

float writable(float logprob) { return logprob > kNoProbability ? logprob : kNoProbability; }

/// As text, or "bytes:\xe2\x80" where the token is no UTF-8 by itself.
std::string token_text(const Tokenizer* tokenizer, int32_t id) {
  const std::string_view bytes = token_bytes(tokenizer, id);
  if (is_utf8(bytes)) return std::string(bytes);
  std::string escaped = "bytes:";
  for (const char c : bytes) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return escaped;
}

/// token, logprob, bytes
void write_token(int32_t id, float logprob, const Tokenizer* tokenizer, json::Writer& writer) {
  const std::string_view bytes = token_bytes(tokenizer, id);
  writer.member("token", bytes).member("logprob", writable(logprob));
  writer.key("bytes").begin_array();
  for (const char c : bytes) writer.value(int{static_cast<unsigned char>(c)});
  writer.end_array();
}

/// The best tokens by their texts; the chosen one is always among them.
void write_top(const PlacedToken& placed, const Tokenizer* tokenizer, json::Writer& writer) {
  if (!placed.scored) {
    writer.null();
    return;
  }
  std::unordered_set<std::string> written;  // two tokens may read the same
  const auto write = [&](int32_t id, float logprob) {
    const std::string text = token_text(tokenizer, id);
    if (written.insert(text).second) writer.member(text, writable(logprob));
  };
  writer.begin_object();
  for (const TokenLogprob& top : placed.token.top) write(top.token, top.logprob);
  write(placed.token.token, placed.token.logprob);
  writer.end_object();
}

}  // namespace

std::string_view token_bytes(const Tokenizer* tokenizer, int32_t id) {
  return tokenizer == nullptr ? std::string_view() : tokenizer->bytes(id);
}

void write_chat_logprobs(std::span<const TokenEvent> tokens, const Tokenizer* tokenizer,
                         json::Writer& writer) {
  writer.begin_object().key("content").begin_array();
  for (const TokenEvent& token : tokens) {
    writer.begin_object();
    write_token(token.token, token.logprob, tokenizer, writer);
    writer.key("top_logprobs").begin_array();
    for (const TokenLogprob& top : token.top) {
      writer.begin_object();
      write_token(top.token, top.logprob, tokenizer, writer);
      writer.end_object();
    }
    writer.end_array().end_object();
  }
  writer.end_array().key("refusal").null().end_object();
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

TextOffsets::TextOffsets(const Tokenizer* tokenizer, size_t start) : offset_(start) {
  if (tokenizer != nullptr) detokenizer_.emplace(*tokenizer, Detokenizer::Special::keep);
}

size_t TextOffsets::push(int32_t id) {
  const size_t begin = offset_;
  if (detokenizer_) offset_ += count_characters(detokenizer_->push(id));
  return begin;
}

void write_completion_logprobs(std::span<const PlacedToken> tokens, const Tokenizer* tokenizer,
                               json::Writer& writer) {
  writer.begin_object().key("tokens").begin_array();
  for (const PlacedToken& placed : tokens) writer.value(token_text(tokenizer, placed.token.token));
  writer.end_array().key("token_logprobs").begin_array();
  for (const PlacedToken& placed : tokens)
    placed.scored ? writer.value(writable(placed.token.logprob)) : writer.null();
  writer.end_array().key("top_logprobs").begin_array();
  for (const PlacedToken& placed : tokens) write_top(placed, tokenizer, writer);
  writer.end_array().key("text_offset").begin_array();
  for (const PlacedToken& placed : tokens) writer.value(placed.offset);
  writer.end_array().end_object();
}

}  // namespace baleen::openai
