#include "server/openai/completion_answer.h"

#include <optional>

#include "server/openai/event_stream.h"
#include "server/openai/logprobs.h"

namespace baleen::openai {
namespace {

using Kind = GenerationEvent::Kind;

/// A part of a choice: what one event adds to it, or all of it.
struct Piece {
  std::string text;
  std::vector<PlacedToken> tokens;
  std::optional<FinishReason> reason;
};

/// Turns events into pieces: the echoed prompt comes first, tokens get their offsets.
class PieceMaker {
 public:
  explicit PieceMaker(CompletionAnswerOptions options)
      : options_(std::move(options)), scores_(options_.echoes.size()), states_(choices()) {}

  size_t choices() const { return options_.echoes.size() * static_cast<size_t>(options_.common.choices); }

  size_t index(size_t prompt, int32_t choice) const {
    return prompt * static_cast<size_t>(options_.common.choices) + static_cast<size_t>(choice);
  }

  /// Nothing for an event that belongs to no single choice.
  std::optional<Piece> piece(size_t prompt, const GenerationEvent& event) {
    if (event.kind == Kind::prompt_scored) {
      scores_[prompt] = event.tokens;
      return {};
    }
    State& state = states_[index(prompt, event.choice)];
    Piece piece;
    if (!state.offsets) begin(prompt, state, piece);
    piece.text += event.text;
    if (options_.common.logprobs)
      for (const TokenEvent& token : event.tokens)
        piece.tokens.push_back({.token = token, .offset = state.offsets->push(token.token)});
    if (event.kind == Kind::finished) piece.reason = event.reason;
    return piece;
  }

  void write(size_t index, const Piece& piece, json::Writer& writer) const {
    writer.begin_object().member("index", index).member("text", piece.text).key("logprobs");
    if (options_.common.logprobs)
      write_completion_logprobs(piece.tokens, options_.common.tokenizer, writer);
    else
      writer.null();
    write_finish_reason(piece.reason.transform([](FinishReason reason) { return name(reason); }), writer);
    writer.end_object();
  }

  const AnswerOptions& common() const { return options_.common; }

 private:
  struct State {
    std::optional<TextOffsets> offsets;
  };

  void begin(size_t prompt, State& state, Piece& piece) const {
    const std::string& echo = options_.echoes[prompt];
    piece.text = echo;
    TextOffsets offsets(options_.common.tokenizer, 0);
    for (const TokenEvent& token : scores_[prompt]) {
      const bool scored = !piece.tokens.empty();
      piece.tokens.push_back({.token = token, .offset = offsets.push(token.token), .scored = scored});
    }
    state.offsets.emplace(options_.common.tokenizer, count_characters(echo));
  }

  CompletionAnswerOptions options_;
  std::vector<std::vector<TokenEvent>> scores_;  // one per prompt
  std::vector<State> states_;                    // one per choice
};

class WholeCompletionAnswer final : public WholeAnswer {
 public:
  explicit WholeCompletionAnswer(CompletionAnswerOptions options)
      : maker_(std::move(options)), whole_(maker_.choices()) {}

  void event(Exchange&, size_t prompt, const GenerationEvent& event) override {
    std::optional<Piece> piece = maker_.piece(prompt, event);
    if (!piece) return;
    Piece& whole = whole_[maker_.index(prompt, event.choice)];
    whole.text += piece->text;
    whole.tokens.insert(whole.tokens.end(), std::make_move_iterator(piece->tokens.begin()),
                        std::make_move_iterator(piece->tokens.end()));
    if (piece->reason) whole.reason = piece->reason;
  }

  void done(Exchange& exchange, const Usage& usage) override {
    json::Writer writer;
    begin_object(maker_.common().envelope, "text_completion", writer);
    writer.key("choices").begin_array();
    for (size_t i = 0; i < whole_.size(); ++i) maker_.write(i, whole_[i], writer);
    writer.end_array();
    write_usage(usage, 0, writer);
    exchange.respond({.content_type = "application/json", .body = writer.end_object().take()});
  }

 private:
  PieceMaker maker_;
  std::vector<Piece> whole_;
};

class StreamedCompletionAnswer final : public StreamedAnswer {
 public:
  explicit StreamedCompletionAnswer(CompletionAnswerOptions options) : maker_(std::move(options)) {}

  void event(Exchange& exchange, size_t prompt, const GenerationEvent& event) override {
    const std::optional<Piece> piece = maker_.piece(prompt, event);
    if (!piece || (piece->text.empty() && piece->tokens.empty() && !piece->reason)) return;
    json::Writer writer;
    begin_object(maker_.common().envelope, "text_completion", writer);
    writer.key("choices").begin_array();
    maker_.write(maker_.index(prompt, event.choice), *piece, writer);
    writer.end_array();
    if (maker_.common().include_usage) writer.key("usage").null();
    exchange.send(event_of(writer.end_object().text()));
  }

  void done(Exchange& exchange, const Usage& usage) override {
    if (maker_.common().include_usage) {
      json::Writer writer;
      begin_object(maker_.common().envelope, "text_completion", writer);
      writer.key("choices").begin_array().end_array();
      write_usage(usage, 0, writer);
      exchange.send(event_of(writer.end_object().text()));
    }
    exchange.send(kLastEvent);
    exchange.end_stream();
  }

 private:
  PieceMaker maker_;
};

}  // namespace

std::unique_ptr<Answer> whole_completion_answer(CompletionAnswerOptions options) {
  return std::make_unique<WholeCompletionAnswer>(std::move(options));
}

std::unique_ptr<Answer> streamed_completion_answer(CompletionAnswerOptions options) {
  return std::make_unique<StreamedCompletionAnswer>(std::move(options));
}

}  // namespace baleen::openai
