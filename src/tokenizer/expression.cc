#include "tokenizer/expression.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "tokenizer/flat_map.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

constexpr size_t kMostPattern = 64 << 10;
// Steps of one search. Published expressions take a few for each character; catastrophic ones stop here, after some
// 10 ms. A search begins with few steps and is begun again with more, which a text's budget pays for: expressions that
// always stop short of the limit are slow too.
constexpr uint32_t kFirstSteps = 128, kMoreSteps = 8, kMostSteps = 1'000'000;
constexpr uint64_t kBudget = 2 * kMostSteps, kBudgetOfByte = 64;
constexpr size_t kJitStack = 256 << 10;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

/// Calls of groups, callouts and verbs: recursion, or what only one of the two dialects has.
bool calls_or_commands(std::string_view pattern) {
  if (pattern.find("&&") != pattern.npos) return true;  // an intersection of classes
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest[0] == '\\') {
      if (rest[1] == 'g') return true;
      ++i;
      continue;
    }
    if (rest.starts_with("(*")) return true;
    if (!rest.starts_with("(?") || rest.size() < 3) continue;
    const char c = rest[2];
    const bool relative = (c == '+' || c == '-') && rest.size() > 3 && rest[3] >= '0' && rest[3] <= '9';
    if (c == 'R' || c == '&' || c == 'C' || (c >= '0' && c <= '9') || relative || rest.starts_with("(?P>"))
      return true;
  }
  return false;
}

// Oniguruma's \w: Alphabetic (the letters in circles and squares are symbols too), marks, Nd, Pc.
constexpr std::string_view kWord =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24B6}-\\x{24E9}\\x{1F130}-\\x{1F149}\\x{1F150}-\\x{1F169}\\x{1F170}"
    "-\\x{1F189}";

/// What the two dialects write differently: \w, and \h, a hexadecimal digit.
std::string translated(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      in_class = (in_class || pattern[i] == '[') && pattern[i] != ']';
      out += pattern[i];
      continue;
    }
    const char escaped = pattern[++i];
    const std::string_view set = escaped == 'w' || escaped == 'W'   ? kWord
                                 : escaped == 'h' || escaped == 'H' ? "0-9a-fA-F"
                                                                    : "";
    const bool negated = escaped == 'W' || escaped == 'H';
    if (set.empty() || (in_class && negated))
      out.append(1, '\\').append(1, escaped);
    else if (in_class)
      out += set;
    else
      out.append(negated ? "[^" : "[").append(set).append("]");
  }
  return out;
}

Code compile_code(std::string_view pattern, std::string& problem) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Oniguruma's Ruby syntax: ^ and $ match at lines.
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                          nullptr));
  if (code == nullptr) {
    PCRE2_UCHAR message[256] = {};
    pcre2_get_error_message(error, message, sizeof(message));
    problem = std::string(reinterpret_cast<const char*>(message)) + " at offset " + std::to_string(offset);
    return code;
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // without it the interpreter does the work
  return code;
}

/// PCRE2's Unicode data are older than ours. Characters that it does not know, or takes for white space where Unicode
/// no longer does, are shown to it as others of the same category and length.
class StandIns {
 public:
  StandIns() {
    std::string problem;
    const Code unassigned = compile_code("\\p{Cn}|\\x{180E}", problem);
    CHECK(unassigned != nullptr);
    const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
        pcre2_match_data_create_from_pattern(unassigned.get(), nullptr));
    std::vector<char32_t> unknown;
    std::array<std::array<char32_t, 5>, 32> known{};  // by category and length: one that PCRE2 knows
    std::string text;
    for (char32_t point = 0x80; point < 0x110000; ++point) {
      const CategorySet set = category(point);
      if (set & (kCn | kCs | kCo)) continue;
      text.clear();
      append_utf8(point, text);
      const int found = pcre2_match(unassigned.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                    0, PCRE2_NO_UTF_CHECK, data.get(), nullptr);
      if (found > 0)
        unknown.push_back(point);
      else if (char32_t& one = known[static_cast<size_t>(std::countr_zero(set))][text.size()]; one == 0)
        one = point;
    }
    for (const char32_t point : unknown) {
      text.clear();
      append_utf8(point, text);
      const char32_t one = known[static_cast<size_t>(std::countr_zero(category(point)))][text.size()];
      if (one != 0) of_.set(point, one);
    }
  }

  /// `text` itself or a copy of the same length in `buffer`.
  std::string_view apply(std::string_view text, std::string& buffer) const {
    bool copied = false;
    for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
      if (static_cast<unsigned char>(*p) < 0x80) {
        ++p;
        continue;
      }
      const auto at = static_cast<size_t>(p - text.data());
      const char32_t* one = of_.find(next_code_point(p));
      if (one == nullptr) continue;
      if (!copied) buffer.assign(text);
      copied = true;
      std::string bytes;
      append_utf8(*one, bytes);
      buffer.replace(at, bytes.size(), bytes);
    }
    return copied ? std::string_view(buffer) : text;
  }

 private:
  FlatMap<char32_t> of_;
};

const StandIns& stand_ins() {
  static const StandIns table;
  return table;
}

}  // namespace

struct Expression::State {
  Code code;
};

Expression::Expression(std::unique_ptr<State> state) : state_(std::move(state)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::compile(std::string_view pattern) {
  if (pattern.size() > kMostPattern) return bad_input("an expression of over 64 KiB");
  if (calls_or_commands(pattern))
    return bad_input("an expression with recursion, commands or && is not supported");
  std::string problem;
  Code code = compile_code(translated(pattern), problem);
  if (code == nullptr) return bad_input("invalid expression: " + problem);
  return Expression(std::make_unique<State>(std::move(code)));
}

struct Expression::Search::State {
  const pcre2_code* code;
  std::string buffer;
  std::string_view shown;  // the text with stand-ins
  std::unique_ptr<pcre2_match_data, FreeMatchData> data;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> context;
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack;
  uint64_t budget;  // of steps, for the whole text

  /// As pcre2_match(), the first match from `from` on.
  int match(std::string_view subject, size_t from) {
    for (uint32_t steps = kFirstSteps;; steps = std::min(steps * kMoreSteps, kMostSteps)) {
      pcre2_set_match_limit(context.get(), steps);
      const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), from,
                                    PCRE2_NO_UTF_CHECK, data.get(), context.get());
      if (found != PCRE2_ERROR_MATCHLIMIT || steps == kMostSteps || budget < steps) return found;
      budget -= steps;
    }
  }
};

Expression::Search::Search(const Expression& expression, std::string_view text) : state_(new State{}) {
  State& state = *state_;
  state.code = expression.state_->code.get();
  state.budget = kBudget + kBudgetOfByte * text.size();
  state.shown = stand_ins().apply(text, state.buffer);
  state.data.reset(pcre2_match_data_create_from_pattern(state.code, nullptr));
  state.context.reset(pcre2_match_context_create(nullptr));
  state.stack.reset(pcre2_jit_stack_create(kJitStack / 8, kJitStack, nullptr));
  CHECK(state.data != nullptr && state.context != nullptr && state.stack != nullptr);
  pcre2_set_depth_limit(state.context.get(), kMostSteps);
  pcre2_jit_stack_assign(state.context.get(), nullptr, state.stack.get());
}

Expression::Search::~Search() = default;

void Expression::Search::find_all(Piece piece, std::vector<Piece>& matches) {
  // The subject is the piece alone, so that look-around sees its ends.
  const std::string_view subject = state_->shown.substr(piece.begin, piece.end - piece.begin);
  for (size_t from = 0; from <= subject.size();) {
    const int found = state_->match(subject, from);
    if (found <= 0) break;  // no more matches, or a limit
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(state_->data.get());
    if (range[1] < range[0] || range[0] < from) break;  // \K inside a look-around
    matches.push_back(
        {piece.begin + static_cast<uint32_t>(range[0]), piece.begin + static_cast<uint32_t>(range[1])});
    from = range[1];
    if (range[1] == range[0]) from += from < subject.size() ? sequence_length(subject[from]) : 1;
  }
}

}  // namespace baleen
