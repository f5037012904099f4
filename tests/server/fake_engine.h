// An engine that answers every prompt with "Hello", a token a byte, and can be told to refuse, fail or wait.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "engine/engine.h"
#include "prompt/model_template.h"

namespace baleen {

class FakeStream final : public EventStream {
 public:
  explicit FakeStream(std::deque<GenerationEvent> events) : events_(std::move(events)) {}
  bool poll(GenerationEvent& event) override {
    if (events_.empty()) return false;
    event = std::move(events_.front());
    events_.pop_front();
    return true;
  }
  bool wait(GenerationEvent& event) override { return poll(event); }
  void on_event(std::function<void()>) override {}
  void cancel() override { cancelled = true; }

  std::atomic<bool> cancelled = false;

 private:
  std::deque<GenerationEvent> events_;
};

/// Bytes as tokens 0 … 255 (the token of byte b has id b), then <|im_start|> and <|im_end|>.
inline Vocabulary byte_vocabulary() {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::byte_bpe;
  vocabulary.pre = "gpt-2";
  const auto as_utf8 = [](int scalar) {
    if (scalar < 0x80) return std::string(1, static_cast<char>(scalar));
    return std::string{static_cast<char>(0xC0 | scalar >> 6), static_cast<char>(0x80 | (scalar & 0x3F))};
  };
  int beyond = 256;  // GPT-2's alphabet: bytes that are no visible character come after the others
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    vocabulary.tokens.push_back(as_utf8(visible ? byte : beyond++));
    vocabulary.types.push_back(TokenType::normal);
  }
  for (const char* control : {"<|im_start|>", "<|im_end|>"}) {
    vocabulary.tokens.emplace_back(control);
    vocabulary.types.push_back(TokenType::control);
  }
  vocabulary.eos = 257;
  vocabulary.end_of_generation = {257};
  return vocabulary;
}

inline constexpr std::string_view kFakeTemplate =
    "{% if tools %}[tools]{% endif %}{% for m in messages %}"
    "{% if m.role == 'tool' and loop.first %}{{ raise_exception('a tool speaks first') }}{% endif %}"
    "<|im_start|>{{ m.role }}:{{ m.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}";

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(std::string id) {
    const Vocabulary vocabulary = byte_vocabulary();
    model_.id = std::move(id);
    model_.tokenizer = std::make_unique<Tokenizer>(Tokenizer::make(vocabulary).value());
    model_.chat = std::make_unique<ChatTemplate>(
        ChatTemplate::compile(kFakeTemplate, template_tokens(vocabulary, model_.tokenizer.get()).value())
            .value());
  }

  Submission submit(GenerationRequest request) override {
    if (refusal != Refusal::none) return {nullptr, refusal, "refused"};
    const auto stream =
        std::make_shared<FakeStream>(waits ? std::deque<GenerationEvent>() : events_for(request));
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    streams_.push_back(stream);
    return {stream, Refusal::none, ""};
  }
  const LoadedModel& model() const override { return model_; }
  int32_t context() const override { return 512; }
  int64_t pool_tokens() const override { return 4096; }
  double seconds_since_tick() const override { return since_tick; }
  std::string system_fingerprint() const override { return "fp_fake"; }
  EngineStats stats() const override { return {}; }
  void drain(double) override {}

  GenerationRequest last_request() {
    const std::lock_guard lock(mutex_);
    return requests_.empty() ? GenerationRequest{} : requests_.back();
  }
  std::shared_ptr<FakeStream> last_stream() {
    const std::lock_guard lock(mutex_);
    return streams_.empty() ? nullptr : streams_.back();
  }

  // Set before a request is sent.
  Refusal refusal = Refusal::none;
  bool waits = false, fails = false;
  double since_tick = 0;

 private:
  using Kind = GenerationEvent::Kind;

  std::deque<GenerationEvent> events_for(const GenerationRequest& request) const {
    std::deque<GenerationEvent> events;
    constexpr std::string_view kText = "Hello";
    const size_t count = request.max_tokens < 0 ? kText.size() : static_cast<size_t>(request.max_tokens);
    const std::string_view text = kText.substr(0, count);
    if (request.score_prompt) {
      GenerationEvent event = event_of(Kind::prompt_scored, 0);
      for (const int32_t id : request.prompt) event.tokens.push_back(token(id, event.tokens.size(), request));
      events.push_back(std::move(event));
    }
    for (size_t i = 0; i < text.size(); ++i)
      for (int32_t choice = 0; choice < request.choices; ++choice) {
        events.push_back(event_of(Kind::text, choice));
        events.back().text = text[i];
        events.back().tokens = {token(text[i], i + 1, request)};
      }
    if (fails) {
      events.push_back(event_of(Kind::failed, 0));
      events.back().text = "the engine failed";
      return events;
    }
    for (int32_t choice = 0; choice < request.choices; ++choice) {
      events.push_back(event_of(Kind::finished, choice));
      events.back().reason = text.size() < kText.size() ? FinishReason::length : FinishReason::stop;
    }
    GenerationEvent done = event_of(Kind::done, 0);
    done.usage.prompt_tokens = static_cast<int32_t>(request.prompt.size());
    done.usage.completion_tokens = static_cast<int32_t>(text.size()) * request.choices;
    events.push_back(std::move(done));
    return events;
  }

  static GenerationEvent event_of(Kind kind, int32_t choice) {
    GenerationEvent event;
    event.kind = kind;
    event.choice = choice;
    return event;
  }

  /// Log probability -i / 2 for the i-th; the next byte is the second best.
  static TokenEvent token(int32_t id, size_t i, const GenerationRequest& request) {
    TokenEvent event{.token = id, .logprob = -0.5F * static_cast<float>(i), .top = {}};
    if (request.top_logprobs > 0) event.top.push_back({id, event.logprob});
    if (request.top_logprobs > 1) event.top.push_back({id + 1, -8});
    return event;
  }

  LoadedModel model_;
  std::mutex mutex_;
  std::vector<GenerationRequest> requests_;
  std::vector<std::shared_ptr<FakeStream>> streams_;
};

}  // namespace baleen
