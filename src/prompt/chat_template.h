// Renders chat requests as transformers' apply_chat_template does (minijinja behind a C ABI, see rust/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tokenizer/tokenizer.h"

namespace baleen {

struct RenderedPrompt {
  std::string text;
  /// Cuts `text` into what the template wrote (special) and what came from the caller's strings.
  struct Piece {
    size_t begin, end;
    bool special;
  };
  std::vector<Piece> pieces;
  std::vector<Tokenizer::Span> spans() const;  ///< views into text
};

class ChatTemplate {
 public:
  /// bad_input where the source does not parse. `bos` and `eos` are the tokens' texts ("" for none).
  static Result<ChatTemplate> compile(std::string_view source, std::string_view bos, std::string_view eos);
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// `request`: JSON with messages, tools, documents, add_generation_prompt, continue_final_message,
  /// chat_template_kwargs. `now`: ISO local time that strftime_now sees; empty: the clock. Bounded in steps and
  /// output. kind failed: the template refused (raise_exception), its message is for the user.
  Result<RenderedPrompt> render(std::string_view request, std::string_view now) const;

 private:
  struct State;
  explicit ChatTemplate(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baleen
