// Takes a model's answer apart as it comes: reasoning, content and calls of tools, in the syntaxes of DeepSeek's
// releases (facts: the chat templates of V3, R1 and V3.1; encoding_dsv32.py of V3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baleen {

/// How a model writes calls of tools.
enum class ToolSyntax {
  none,          ///< none that we read
  deepseek_v3,   ///< V3, R1: a type, a name and arguments in a fenced block, between tokens of their own
  deepseek_v31,  ///< V3.1: a name and arguments between the same tokens
  dsml,          ///< V3.2: elements with parameters of their own
};

struct AnswerFormat {
  bool reasons = false;  ///< the model may think between <think> and </think> first
  ToolSyntax tools = ToolSyntax::none;
};

/// What a template that writes earlier answers so says about the next one.
AnswerFormat answer_format(std::string_view template_source);

/// A stretch of an answer.
struct AnswerPart {
  enum class Kind { reasoning, content, call, arguments };
  Kind kind = Kind::content;
  std::string text;   ///< of a call: the function's name; arguments: a piece of its JSON
  int32_t call = -1;  ///< which, from 0, of a call and its arguments
};

/// Linear in the answer's length, whatever it says; holds back only what may become a mark.
class AnswerParser {
 public:
  /// `prompt` ends where the answer starts: behind <think>, behind </think> or elsewhere.
  AnswerParser(AnswerFormat format, std::string_view prompt);

  void push(std::string_view text);
  /// The answer has ended.
  void finish();
  /// What has become certain since the last time.
  std::vector<AnswerPart> take();

  bool in_reasoning() const { return state_ == State::reasoning; }
  /// Calls that are complete.
  int32_t calls() const { return complete_calls_; }
  /// What broke the syntax, if anything did: from there on all is content.
  std::optional<std::string_view> fault() const { return fault_; }

 private:
  enum class State {
    start,        // the model may write <think> itself
    reasoning,    //
    after_think,  // new lines behind </think>
    content,
    broken,     // content to the end
    next_call,  // a call, or the end of them
    type,       // of a V3 call
    name,
    fence,      // in front of a V3 call's arguments
    arguments,  // JSON as the model writes it
    next_parameter,
    key,
    is_string,
    string_value,
    json_value,
    after_calls,
  };

  bool step();
  bool start();
  bool reasoning();
  bool content();
  bool next_call();
  bool call_type();
  bool name();
  bool fence();
  bool arguments();
  bool next_parameter();
  bool key();
  bool is_string();
  bool string_value();
  bool json_value();
  bool after_calls();

  std::optional<size_t> take_until(std::span<const std::string_view> marks, std::string& out);
  std::optional<size_t> expect(std::span<const std::string_view> marks);
  std::optional<std::string> short_text_until(std::string_view mark);
  void skip_space();
  void emit(AnswerPart::Kind kind, std::string_view text);
  void emit_content(std::string_view text);
  void end_call();
  bool broken(std::string_view why);

  AnswerFormat format_;
  State state_;
  std::string held_;       // not yet taken; at most a mark long between pushes
  std::string new_lines_;  // at the end of the content: they belong to a block of calls, if one follows
  std::string value_;      // of a parameter that is JSON
  bool ended_ = false;
  bool has_parameters_ = false;
  int32_t call_ = -1, complete_calls_ = 0;
  std::optional<std::string_view> fault_;
  std::vector<AnswerPart> parts_;
};

}  // namespace baleen
