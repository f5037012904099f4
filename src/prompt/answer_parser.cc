#include "prompt/answer_parser.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/json.h"

namespace baleen {
namespace {

using Marks = std::span<const std::string_view>;
using Kind = AnswerPart::Kind;

constexpr std::string_view kThink = "<think>", kEndThink = "</think>";
constexpr std::string_view kCallsBegin = "<｜tool▁calls▁begin｜>", kCallsEnd = "<｜tool▁calls▁end｜>";
constexpr std::string_view kCallBegin = "<｜tool▁call▁begin｜>", kCallEnd = "<｜tool▁call▁end｜>";
constexpr std::string_view kSeparator = "<｜tool▁sep｜>";
constexpr std::string_view kFence = "```json\n", kFencedCallEnd = "\n```<｜tool▁call▁end｜>";
constexpr std::string_view kDsmlCalls = "<｜DSML｜function_calls>",
                           kDsmlCallsEnd = "</｜DSML｜function_calls>";
constexpr std::string_view kInvoke = "<｜DSML｜invoke name=\"", kInvokeEnd = "</｜DSML｜invoke>";
constexpr std::string_view kParameter = "<｜DSML｜parameter name=\"", kParameterEnd = "</｜DSML｜parameter>";
constexpr std::string_view kQuote = "\"";
constexpr std::string_view kIsString = " string=\"true\">", kIsJson = " string=\"false\">";
constexpr std::string_view kSpace = " \t\n\r";

/// Bytes of a function's or parameter's name: OpenAI allows 64 characters.
constexpr size_t kMaxName = 256;
/// New lines in front of a block of calls that belong to it.
constexpr size_t kNewLinesBeforeCalls = 2;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view without_space_behind(std::string_view text) {
  const size_t last = text.find_last_not_of(kSpace);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view() : without_space_behind(text.substr(first));
}

/// `text` as it stands between the quotes of a JSON string.
std::string escaped(std::string_view text) {
  json::Writer writer;
  const std::string quoted = writer.value(text).take();
  return quoted.substr(1, quoted.size() - 2);
}

/// The longest end of `text` that some mark begins with and goes on from.
size_t open_end(std::string_view text, Marks marks) {
  size_t longest = 0;
  for (const std::string_view mark : marks)
    for (size_t size = std::min(mark.size() - 1, text.size()); size > longest; --size)
      if (text.ends_with(mark.substr(0, size))) longest = size;
  return longest;
}

}  // namespace

AnswerFormat answer_format(std::string_view template_source) {
  AnswerFormat format{.reasons = contains(template_source, kEndThink)};
  if (contains(template_source, "｜DSML｜"))
    format.tools = ToolSyntax::dsml;
  else if (contains(template_source, kCallsBegin))
    format.tools = contains(template_source, "```json") ? ToolSyntax::deepseek_v3 : ToolSyntax::deepseek_v31;
  return format;
}

AnswerParser::AnswerParser(AnswerFormat format, std::string_view prompt) : format_(format) {
  prompt = without_space_behind(prompt);
  if (!format.reasons || prompt.ends_with(kEndThink))
    state_ = State::content;
  else
    state_ = prompt.ends_with(kThink) ? State::reasoning : State::start;
}

void AnswerParser::push(std::string_view text) {
  // Taking marks off the front moves the rest: little by little, so that a long text is linear too.
  constexpr size_t kSlice = 4096;
  while (!text.empty()) {
    size_t size = std::min(kSlice, text.size());
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
      ++size;  // whole characters
    held_ += text.substr(0, size);
    text.remove_prefix(size);
    while (step()) {
    }
  }
}

void AnswerParser::finish() {
  ended_ = true;
  while (step()) {
  }
  const std::string rest = std::exchange(held_, {});
  if (state_ == State::reasoning) return emit(Kind::reasoning, rest);
  const bool in_calls = state_ >= State::next_call && state_ < State::after_calls;
  if (in_calls) {
    fault_ = "the answer ends within a call";
    if (state_ == State::arguments) emit(Kind::arguments, rest);
    if (state_ == State::string_value) emit(Kind::arguments, escaped(rest));
    return;
  }
  emit_content(rest);
  emit(Kind::content, std::exchange(new_lines_, {}));
}

std::vector<AnswerPart> AnswerParser::take() { return std::exchange(parts_, {}); }

/// False where more of the answer is needed.
bool AnswerParser::step() {
  switch (state_) {
    case State::start:
      return start();
    case State::reasoning:
      return reasoning();
    case State::after_think:
      held_.erase(0, std::min(held_.find_first_not_of('\n'), held_.size()));
      if (held_.empty()) return false;
      state_ = State::content;
      return true;
    case State::content:
      return content();
    case State::broken:
      emit_content(std::exchange(held_, {}));
      return false;
    case State::next_call:
      return next_call();
    case State::type:
      return call_type();
    case State::name:
      return name();
    case State::fence:
      return fence();
    case State::arguments:
      return arguments();
    case State::next_parameter:
      return next_parameter();
    case State::key:
      return key();
    case State::is_string:
      return is_string();
    case State::string_value:
      return string_value();
    case State::json_value:
      return json_value();
    case State::after_calls:
      return after_calls();
  }
  return false;
}

bool AnswerParser::start() {
  const size_t first = held_.find_first_not_of(kSpace);
  const std::string_view begun =
      first == std::string::npos ? std::string_view() : std::string_view(held_).substr(first);
  if (begun.starts_with(kThink)) {
    held_.erase(0, first + kThink.size());
    state_ = State::reasoning;
    return true;
  }
  if (!ended_ && kThink.starts_with(begun)) return false;
  state_ = State::content;
  return true;
}

bool AnswerParser::reasoning() {
  std::string text;
  const auto mark = take_until({&kEndThink, 1}, text);
  emit(Kind::reasoning, text);
  if (mark) state_ = State::after_think;
  return mark.has_value();
}

bool AnswerParser::content() {
  constexpr std::string_view kDeepSeek[] = {kThink, kEndThink, kCallsBegin},
                             kDsml[] = {kThink, kEndThink, kDsmlCalls};
  const Marks all = format_.tools == ToolSyntax::dsml ? kDsml : kDeepSeek;
  const size_t first = format_.reasons ? 0 : 2,
               count = format_.tools == ToolSyntax::none ? 2 - first : 3 - first;
  std::string text;
  const auto mark = take_until(all.subspan(first, count), text);
  emit_content(text);
  if (!mark) return false;
  if (const std::string_view found = all[first + *mark]; found == kThink || found == kEndThink) {
    emit_content(found);
    return broken("a mark of reasoning within the content");
  }
  new_lines_.clear();
  state_ = State::next_call;
  return true;
}

bool AnswerParser::next_call() {
  constexpr std::string_view kDeepSeek[] = {kCallBegin, kCallsEnd}, kDsml[] = {kInvoke, kDsmlCallsEnd};
  const auto mark = expect(format_.tools == ToolSyntax::dsml ? Marks(kDsml) : Marks(kDeepSeek));
  if (!mark) return state_ == State::broken;
  has_parameters_ = false;
  if (*mark == 1)
    state_ = State::after_calls;
  else
    state_ = format_.tools == ToolSyntax::deepseek_v3 ? State::type : State::name;
  return true;
}

bool AnswerParser::call_type() {
  const auto type = short_text_until(kSeparator);
  if (!type) return state_ == State::broken;
  state_ = State::name;
  return true;
}

bool AnswerParser::name() {
  constexpr std::string_view kEnds[] = {"\n", kSeparator, "\">"};
  const bool dsml = format_.tools == ToolSyntax::dsml, v3 = format_.tools == ToolSyntax::deepseek_v3;
  const auto name = short_text_until(kEnds[dsml ? 2 : v3 ? 0 : 1]);
  if (!name) return state_ == State::broken;
  if (trimmed(*name).empty()) return broken("a call without a name");
  parts_.push_back({Kind::call, std::string(trimmed(*name)), ++call_});
  state_ = dsml ? State::next_parameter : v3 ? State::fence : State::arguments;
  return true;
}

bool AnswerParser::fence() {
  const auto mark = expect({&kFence, 1});
  if (mark) state_ = State::arguments;
  return mark || state_ == State::broken;
}

bool AnswerParser::arguments() {
  constexpr std::string_view kEnds[] = {kFencedCallEnd, kCallEnd};
  const bool fenced = format_.tools == ToolSyntax::deepseek_v3;
  std::string text;
  const auto mark = take_until(fenced ? Marks(kEnds) : Marks(kEnds).subspan(1), text);
  emit(Kind::arguments, text);
  if (mark) end_call();
  return mark.has_value();
}

bool AnswerParser::next_parameter() {
  constexpr std::string_view kMarks[] = {kParameter, kInvokeEnd};
  const auto mark = expect(kMarks);
  if (!mark) return state_ == State::broken;
  if (*mark == 0) {
    state_ = State::key;
    return true;
  }
  emit(Kind::arguments, has_parameters_ ? "}" : "{}");
  end_call();
  return true;
}

bool AnswerParser::key() {
  const auto key = short_text_until(kQuote);
  if (!key) return state_ == State::broken;
  emit(Kind::arguments, (has_parameters_ ? ", \"" : "{\"") + escaped(*key) + "\": ");
  has_parameters_ = true;
  state_ = State::is_string;
  return true;
}

bool AnswerParser::is_string() {
  constexpr std::string_view kMarks[] = {kIsString, kIsJson};
  const auto mark = expect(kMarks);
  if (!mark) return state_ == State::broken;
  value_.clear();
  state_ = *mark == 0 ? State::string_value : State::json_value;
  if (*mark == 0) emit(Kind::arguments, kQuote);
  return true;
}

bool AnswerParser::string_value() {
  std::string text;
  const auto mark = take_until({&kParameterEnd, 1}, text);
  emit(Kind::arguments, escaped(text));
  if (!mark) return false;
  emit(Kind::arguments, kQuote);
  state_ = State::next_parameter;
  return true;
}

/// What is no JSON after all is passed on as a string, so that the arguments stay an object that clients can read.
bool AnswerParser::json_value() {
  const auto mark = take_until({&kParameterEnd, 1}, value_);
  if (!mark) return false;
  const bool valid = json::Document::parse(value_, json::kHttpLimits).has_value();
  emit(Kind::arguments, valid ? std::string(trimmed(value_)) : '"' + escaped(value_) + '"');
  state_ = State::next_parameter;
  return true;
}

bool AnswerParser::after_calls() {
  skip_space();
  return held_.empty() ? false : broken("text behind the calls");
}

/// Moves what stands in front of the first mark to `out`; which mark, which is taken too, or nothing so far.
std::optional<size_t> AnswerParser::take_until(Marks marks, std::string& out) {
  size_t at = std::string::npos, which = 0;
  for (size_t i = 0; i < marks.size(); ++i)
    if (const size_t found = held_.find(marks[i]); found < at) std::tie(at, which) = std::pair(found, i);
  if (at == std::string::npos) {
    const size_t keep = ended_ ? 0 : open_end(held_, marks);
    out.append(held_, 0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
    return std::nullopt;
  }
  out.append(held_, 0, at);
  held_.erase(0, at + marks[which].size());
  return which;
}

/// Takes the mark that must follow, behind white space. Nothing: more is needed, or none can follow any more.
std::optional<size_t> AnswerParser::expect(Marks marks) {
  if (!marks.front().starts_with(' ')) skip_space();
  for (size_t i = 0; i < marks.size(); ++i)
    if (held_.starts_with(marks[i])) {
      held_.erase(0, marks[i].size());
      return i;
    }
  const bool open =
      std::ranges::any_of(marks, [&](std::string_view mark) { return mark.starts_with(held_); });
  if (!open) broken("a call is not written as it should be");
  return std::nullopt;
}

/// Takes a name and the mark behind it.
std::optional<std::string> AnswerParser::short_text_until(std::string_view mark) {
  const size_t at = held_.find(mark);
  if (at <= kMaxName) {
    std::string text = held_.substr(0, at);
    held_.erase(0, at + mark.size());
    return text;
  }
  if (held_.size() > kMaxName + mark.size()) broken("a name that does not end");
  return std::nullopt;
}

void AnswerParser::skip_space() { held_.erase(0, std::min(held_.find_first_not_of(kSpace), held_.size())); }

void AnswerParser::emit(Kind kind, std::string_view text) {
  if (text.empty()) return;
  const int32_t call = kind == Kind::arguments ? call_ : -1;
  if (parts_.empty() || parts_.back().kind != kind || parts_.back().call != call)
    parts_.push_back({kind, "", call});
  parts_.back().text += text;
}

/// Content, but for new lines at its end.
void AnswerParser::emit_content(std::string_view text) {
  if (text.empty()) return;
  const std::string all = std::exchange(new_lines_, {}).append(text);
  size_t kept = 0;
  if (format_.tools != ToolSyntax::none && state_ == State::content)
    while (kept < std::min(kNewLinesBeforeCalls, all.size()) && all[all.size() - 1 - kept] == '\n') ++kept;
  new_lines_ = all.substr(all.size() - kept);
  emit(Kind::content, std::string_view(all).substr(0, all.size() - kept));
}

void AnswerParser::end_call() {
  ++complete_calls_;
  state_ = State::next_call;
}

bool AnswerParser::broken(std::string_view why) {
  fault_ = why;
  state_ = State::broken;
  return true;
}

}  // namespace baleen
