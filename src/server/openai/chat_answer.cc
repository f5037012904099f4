#include "server/openai/chat_answer.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "server/http/response_head.h"
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

/// One choice's text, taken apart.
class ChoiceParts {
 public:
  explicit ChoiceParts(const AnswerParser& parser) : parser_(parser) {}

  std::vector<AnswerPart> add(const GenerationEvent& event) {
    const bool reasoned = parser_.in_reasoning();
    parser_.push(event.text);
    if (reasoned || parser_.in_reasoning()) reasoning_tokens_ += std::ssize(event.tokens);
    if (event.kind == Kind::finished) {
      parser_.finish();
      reason_ = event.reason;
    }
    return parser_.take();
  }
  int64_t reasoning_tokens() const { return reasoning_tokens_; }
  std::string_view finish_reason() const {
    return reason_ == FinishReason::stop && parser_.calls() > 0 ? "tool_calls" : name(reason_);
  }

 private:
  AnswerParser parser_;
  int64_t reasoning_tokens_ = 0;
  FinishReason reason_ = FinishReason::stop;
};

int64_t reasoning_tokens(std::span<const ChoiceParts> choices) {
  int64_t sum = 0;
  for (const ChoiceParts& choice : choices) sum += choice.reasoning_tokens();
  return sum;
}

void begin_tool_call(std::string_view function, json::Writer& writer) {
  writer.member("id", "call_" + random_digits()).member("type", "function");
  writer.key("function").begin_object().member("name", function);
}

class WholeChatAnswer final : public WholeAnswer {
 public:
  WholeChatAnswer(AnswerOptions options, const AnswerParser& parser)
      : options_(std::move(options)),
        parts_(static_cast<size_t>(options_.choices), ChoiceParts(parser)),
        messages_(static_cast<size_t>(options_.choices)) {}

  void event(Exchange&, size_t, const GenerationEvent& event) override {
    const auto choice = static_cast<size_t>(event.choice);
    Message& message = messages_[choice];
    for (AnswerPart& part : parts_[choice].add(event)) message.add(part);
    if (options_.logprobs)
      message.tokens.insert(message.tokens.end(), event.tokens.begin(), event.tokens.end());
  }

  void done(Exchange& exchange, const Usage& usage) override {
    json::Writer writer;
    begin_object(options_.envelope, "chat.completion", writer);
    writer.key("choices").begin_array();
    for (size_t i = 0; i < messages_.size(); ++i) write_choice(i, writer);
    writer.end_array();
    write_usage(usage, reasoning_tokens(parts_), writer);
    writer.end_object();
    exchange.respond({.content_type = "application/json", .body = writer.take()});
  }

 private:
  struct Call {
    std::string name, arguments;
  };
  struct Message {
    std::string content, reasoning;
    std::vector<Call> calls;
    std::vector<TokenEvent> tokens;

    void add(AnswerPart& part) {
      switch (part.kind) {
        case AnswerPart::Kind::reasoning:
          reasoning += part.text;
          break;
        case AnswerPart::Kind::content:
          content += part.text;
          break;
        case AnswerPart::Kind::call:
          calls.push_back({std::move(part.text), ""});
          break;
        case AnswerPart::Kind::arguments:
          calls.back().arguments += part.text;
          break;
      }
    }

    void write(json::Writer& writer) const {
      writer.begin_object().member("role", "assistant").key("content");
      if (content.empty() && !calls.empty())
        writer.null();
      else
        writer.value(content);
      if (!reasoning.empty()) writer.member("reasoning_content", reasoning);
      writer.key("refusal").null();
      if (!calls.empty()) {
        writer.key("tool_calls").begin_array();
        for (const Call& call : calls) {
          begin_tool_call(call.name, writer.begin_object());
          writer.member("arguments", call.arguments).end_object().end_object();
        }
        writer.end_array();
      }
      writer.end_object();
    }
  };

  void write_choice(size_t index, json::Writer& writer) const {
    writer.begin_object().member("index", index).key("message");
    messages_[index].write(writer);
    write_logprobs(options_, messages_[index].tokens, writer);
    write_finish_reason(parts_[index].finish_reason(), writer);
    writer.end_object();
  }

  AnswerOptions options_;
  std::vector<ChoiceParts> parts_;
  std::vector<Message> messages_;
};

class StreamedChatAnswer final : public StreamedAnswer {
 public:
  StreamedChatAnswer(AnswerOptions options, const AnswerParser& parser)
      : options_(std::move(options)),
        parts_(static_cast<size_t>(options_.choices), ChoiceParts(parser)),
        choices_(static_cast<size_t>(options_.choices)) {}

  void event(Exchange& exchange, size_t, const GenerationEvent& event) override {
    const auto index = static_cast<size_t>(event.choice);
    Choice& choice = choices_[index];
    if (!std::exchange(choice.begun, true)) send(exchange, {.choice = event.choice, .first = true});
    std::vector<AnswerPart> parts = parts_[index].add(event);
    if (options_.logprobs)
      choice.tokens.insert(choice.tokens.end(), event.tokens.begin(), event.tokens.end());
    const bool ends = event.kind == Kind::finished;
    // Tokens whose text is held back, or is none, go with the next piece; at the end with an empty one.
    if (parts.empty() && ends && !choice.tokens.empty()) parts.emplace_back();
    for (const AnswerPart& part : parts)
      send(exchange, {.choice = event.choice, .part = &part, .tokens = std::exchange(choice.tokens, {})});
    if (ends) send(exchange, {.choice = event.choice, .reason = parts_[index].finish_reason()});
  }

  void done(Exchange& exchange, const Usage& usage) override {
    if (options_.include_usage) {
      json::Writer writer;
      begin_object(options_.envelope, "chat.completion.chunk", writer);
      writer.key("choices").begin_array().end_array();
      write_usage(usage, reasoning_tokens(parts_), writer);
      exchange.send(event_of(writer.end_object().text()));
    }
    exchange.send(kLastEvent);
    exchange.end_stream();
  }

 private:
  struct Choice {
    bool begun = false;
    std::vector<TokenEvent> tokens;  // not sent yet
  };
  struct Chunk {
    int32_t choice = 0;
    bool first = false;
    const AnswerPart* part = nullptr;
    std::vector<TokenEvent> tokens = {};
    std::optional<std::string_view> reason = {};
  };

  static void write_delta(const AnswerPart& part, json::Writer& writer) {
    if (part.kind == AnswerPart::Kind::content) {
      writer.member("content", part.text);
    } else if (part.kind == AnswerPart::Kind::reasoning) {
      writer.member("reasoning_content", part.text);
    } else {
      writer.key("tool_calls").begin_array().begin_object().member("index", part.call);
      if (part.kind == AnswerPart::Kind::call) {
        begin_tool_call(part.text, writer);
        writer.member("arguments", "");
      } else {
        writer.key("function").begin_object().member("arguments", part.text);
      }
      writer.end_object().end_object().end_array();
    }
  }

  void send(Exchange& exchange, const Chunk& chunk) const {
    json::Writer writer;
    begin_object(options_.envelope, "chat.completion.chunk", writer);
    writer.key("choices").begin_array().begin_object();
    writer.member("index", chunk.choice).key("delta").begin_object();
    if (chunk.first) writer.member("role", "assistant").member("content", "").key("refusal").null();
    if (chunk.part != nullptr) write_delta(*chunk.part, writer);
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
  std::vector<ChoiceParts> parts_;
  std::vector<Choice> choices_;
};

}  // namespace

std::unique_ptr<Answer> whole_chat_answer(AnswerOptions options, const AnswerParser& parser) {
  return std::make_unique<WholeChatAnswer>(std::move(options), parser);
}

std::unique_ptr<Answer> streamed_chat_answer(AnswerOptions options, const AnswerParser& parser) {
  return std::make_unique<StreamedChatAnswer>(std::move(options), parser);
}

}  // namespace baleen::openai
