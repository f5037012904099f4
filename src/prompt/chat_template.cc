#include "prompt/chat_template.h"

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "prompt/template_abi.h"

namespace baleen {
namespace {

struct FreeOutcome {
  void operator()(BaleenOutcome* outcome) const { baleen_outcome_free(outcome); }
};
using Outcome = std::unique_ptr<BaleenOutcome, FreeOutcome>;

struct FreeTemplate {
  void operator()(BaleenTemplate* compiled) const { baleen_template_free(compiled); }
};

std::string text_of(const Outcome& outcome) {
  size_t size = 0;
  const char* text = baleen_outcome_text(outcome.get(), &size);
  return {text, size};
}

size_t format_time(const void* time, const char* format, size_t format_size, char* out, size_t capacity) {
  // A blank in front tells an empty result from one that does not fit.
  const std::string terminated = " " + std::string(format, format_size);
  const size_t size = std::strftime(out, capacity, terminated.c_str(), static_cast<const std::tm*>(time));
  if (size == 0) return 0;
  std::copy(out + 1, out + size, out);
  return size - 1;
}

/// An ISO time without zone ("2025-02-07T09:05:03"), or the machine's local time for "".
Result<std::tm> parse_time(std::string_view now) {
  std::tm time{};
  if (now.empty()) {
    const std::time_t seconds = std::time(nullptr);
    localtime_r(&seconds, &time);
    return time;
  }
  const std::string text(now);
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (end == nullptr) {
    time = {};
    end = strptime(text.c_str(), "%Y-%m-%d", &time);
  }
  if (end == nullptr || *end != '\0') return wrong_usage("not a time such as 2025-02-07T09:05:03: " + text);
  return time;
}

std::string to_json(const TemplateTokens& tokens) {
  json::Writer writer;
  writer.begin_object().key("named").begin_object();
  for (const auto& [name, text] : tokens.named) writer.member(name, std::string_view(text));
  writer.end_object().key("control").begin_array();
  for (const std::string& text : tokens.control) writer.value(std::string_view(text));
  return writer.end_array().end_object().take();
}

}  // namespace

std::vector<Tokenizer::Span> RenderedPrompt::spans() const {
  std::vector<Tokenizer::Span> spans;
  for (const Piece& piece : pieces)
    spans.push_back({std::string_view(text).substr(piece.begin, piece.end - piece.begin), piece.special});
  return spans;
}

struct ChatTemplate::State {
  std::unique_ptr<BaleenTemplate, FreeTemplate> compiled;
};

ChatTemplate::ChatTemplate(std::unique_ptr<State> state, AnswerFormat answers)
    : state_(std::move(state)), answers_(answers) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::compile(std::string_view source, const TemplateTokens& tokens) {
  const std::string json = to_json(tokens);
  const Outcome outcome(baleen_template_compile(source.data(), source.size(), json.data(), json.size()));
  auto state = std::make_unique<State>();
  state->compiled.reset(baleen_outcome_take_template(outcome.get()));
  if (state->compiled == nullptr) return bad_input(text_of(outcome));
  return ChatTemplate(std::move(state), answer_format(source));
}

Result<RenderedPrompt> ChatTemplate::render(std::string_view request, std::string_view now) const {
  auto time = parse_time(now);
  if (!time) return error_of(time);
  const Outcome outcome(
      baleen_template_render(state_->compiled.get(), request.data(), request.size(), format_time, &*time));
  switch (baleen_outcome_status(outcome.get())) {
    case 0:
      break;
    case 2:
      return wrong_usage(text_of(outcome));
    default:
      return failed(text_of(outcome));
  }
  RenderedPrompt prompt{text_of(outcome), {}};
  size_t count = 0;
  const BaleenPiece* pieces = baleen_outcome_pieces(outcome.get(), &count);
  for (size_t i = 0; i < count; ++i)
    prompt.pieces.push_back({pieces[i].begin, pieces[i].end, pieces[i].special != 0});
  return prompt;
}

}  // namespace baleen
