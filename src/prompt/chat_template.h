// Renders chat requests as transformers' apply_chat_template does (minijinja behind a C ABI, see rust/).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "prompt/answer_parser.h"
#include "tokenizer/tokenizer.h"

namespace baleen {

/// What a vocabulary lends to its template.
struct TemplateTokens {
  std::vector<std::pair<std::string, std::string>> named;  ///< template variables: bos_token, eos_token, …
  std::vector<std::string> control;  ///< texts that a caller's string must not turn into tokens
};

struct RenderedPrompt {
  std::string text;
  /// Cuts `text` into pieces, to be encoded one by one as transformers' sanitize_control_tokens does (golden
  /// `ids_safe`): in special ones control tokens count, the others are control tokens that stood in a caller's string.
  struct Piece {
    size_t begin, end;
    bool special;
  };
  std::vector<Piece> pieces;
  std::vector<Tokenizer::Span> spans() const;  ///< views into text
};

class ChatTemplate {
 public:
  /// bad_input where the source does not parse or is over 4 MiB.
  static Result<ChatTemplate> compile(std::string_view source, const TemplateTokens& tokens);
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// `request`: JSON with messages, tools, documents, add_generation_prompt (default true), continue_final_message,
  /// chat_template_kwargs. `now`: ISO local time that strftime_now sees; empty: the clock. Bounded in steps, depth and
  /// output. kind failed: the template refused (raise_exception) or cannot be rendered with this request; the message
  /// is for the user. kind usage: the request is not of that form. Any thread.
  Result<RenderedPrompt> render(std::string_view request, std::string_view now) const;
  /// How the answers to its prompts are written.
  AnswerFormat answers() const { return answers_; }

 private:
  struct State;
  ChatTemplate(std::unique_ptr<State> state, AnswerFormat answers);
  std::unique_ptr<State> state_;
  AnswerFormat answers_;
};

}  // namespace baleen
