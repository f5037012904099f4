#include "server/openai/chat_answer.h"

#include <optional>
#include <vector>

#include "server/openai/event_stream.h"
#include "server/openai/logprobs.h"

namespace baleen::openai {
namespace {

using Kind = GenerationEvent::Kind;

void write_logprobs(const AnswerOptions& options, std::span<const TokenEvent> tokens, json::Writer& writer) {
  writer.key("logprobs");
  if (options.logprobs)
    write_chat_logprobs(tokens, options.tokenizer, writer);
  else
    writer.null();
}

class WholeChatAnswer final : public WholeAnswer {
 public:
  explicit WholeChatAnswer(AnswerOptions options)
      : options_(std::move(options)), choices_(static_cast<size_t>(options_.choices)) {}

  void event(Exchange&, size_t, const GenerationEvent& event) override {
    Choice& choice = choices_[static_cast<size_t>(event.choice)];
    choice.text += event.text;
    if (options_.logprobs)
      choice.tokens.insert(choice.tokens.end(), event.tokens.begin(), event.tokens.end());
    if (event.kind == Kind::finished) choice.reason = event.reason;
  }

  void done(Exchange& exchange, const Usage& usage) override {
    json::Writer writer;
    begin_object(options_.envelope, "chat.completion", writer);
    writer.key("choices").begin_array();
    for (size_t i = 0; i < choices_.size(); ++i) write_choice(i, writer);
    writer.end_array();
    write_usage(usage, writer);
    writer.end_object();
    exchange.respond({.content_type = "application/json", .body = writer.take()});
  }

 private:
  struct Choice {
    std::string text;
    std::vector<TokenEvent> tokens;
    FinishReason reason = FinishReason::stop;
  };

  void write_choice(size_t index, json::Writer& writer) const {
    const Choice& choice = choices_[index];
    writer.begin_object().member("index", index).key("message").begin_object();
    writer.member("role", "assistant").member("content", choice.text).key("refusal").null().end_object();
    write_logprobs(options_, choice.tokens, writer);
    write_finish_reason(choice.reason, writer);
    writer.end_object();
  }

  AnswerOptions options_;
  std::vector<Choice> choices_;
};

class StreamedChatAnswer final : public StreamedAnswer {
 public:
  explicit StreamedChatAnswer(AnswerOptions options)
      : options_(std::move(options)), begun_(static_cast<size_t>(options_.choices)) {}

  void event(Exchange& exchange, size_t, const GenerationEvent& event) override {
    if (!begun_[static_cast<size_t>(event.choice)]) {
      begun_[static_cast<size_t>(event.choice)] = true;
      send(exchange, {.choice = event.choice, .first = true});
    }
    if (!event.text.empty() || (options_.logprobs && !event.tokens.empty()))
      send(exchange, {.choice = event.choice, .text = &event.text, .tokens = event.tokens});
    if (event.kind == Kind::finished) send(exchange, {.choice = event.choice, .reason = event.reason});
  }

  void done(Exchange& exchange, const Usage& usage) override {
    if (options_.include_usage) {
      json::Writer writer;
      begin_object(options_.envelope, "chat.completion.chunk", writer);
      writer.key("choices").begin_array().end_array();
      write_usage(usage, writer);
      exchange.send(event_of(writer.end_object().text()));
    }
    exchange.send(kLastEvent);
    exchange.end_stream();
  }

 private:
  struct Chunk {
    int32_t choice = 0;
    bool first = false;
    const std::string* text = nullptr;
    std::span<const TokenEvent> tokens = {};
    std::optional<FinishReason> reason = {};
  };

  void send(Exchange& exchange, const Chunk& chunk) const {
    json::Writer writer;
    begin_object(options_.envelope, "chat.completion.chunk", writer);
    writer.key("choices")
        .begin_array()
        .begin_object()
        .member("index", chunk.choice)
        .key("delta")
        .begin_object();
    if (chunk.first) writer.member("role", "assistant").member("content", "").key("refusal").null();
    if (chunk.text != nullptr) writer.member("content", *chunk.text);
    writer.end_object();
    if (chunk.tokens.empty())
      writer.key("logprobs").null();
    else
      write_logprobs(options_, chunk.tokens, writer);
    write_finish_reason(chunk.reason, writer);
    writer.end_object().end_array();
    if (options_.include_usage) writer.key("usage").null();
    exchange.send(event_of(writer.end_object().text()));
  }

  AnswerOptions options_;
  std::vector<bool> begun_;
};

}  // namespace

std::unique_ptr<Answer> whole_chat_answer(AnswerOptions options) {
  return std::make_unique<WholeChatAnswer>(std::move(options));
}

std::unique_ptr<Answer> streamed_chat_answer(AnswerOptions options) {
  return std::make_unique<StreamedChatAnswer>(std::move(options));
}

}  // namespace baleen::openai
