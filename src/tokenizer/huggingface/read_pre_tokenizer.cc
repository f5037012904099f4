#include <utility>

#include "base/check.h"
#include "tokenizer/huggingface/parts.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8_text.h"

namespace baleen::huggingface {
namespace {

bool is_number(char32_t c) { return (category(c) & kNumber) != 0; }
bool is_space(char32_t c) { return (category(c) & kSpace) != 0; }
/// As Rust's is_ascii_punctuation or Unicode's P.
bool is_punctuation(char32_t c) {
  return (category(c) & kPunctuation) != 0 || (c < 128 && c > ' ' && (category(c) & kSymbol) != 0);
}

Delimiters read_behavior(const Node& node) {
  const std::string_view name = node.text();
  if (name == "Isolated") return Delimiters::isolated;
  if (name == "Removed") return Delimiters::removed;
  if (name == "Contiguous") return Delimiters::contiguous;
  if (name == "MergedWithPrevious") return Delimiters::merged_with_previous;
  if (name == "MergedWithNext") return Delimiters::merged_with_next;
  node.fail("the behavior '" + std::string(name) + "' is not known");
  return Delimiters::isolated;
}

/// A search for a fixed text or an expression.
std::optional<Search> read_pattern(const Node& node) {
  if (node.value().find("String")) {
    const std::string_view text = node["String"].text();
    if (!text.empty()) return search_text(std::string(text));
    node.fail("must not be empty");
    return std::nullopt;
  }
  auto expression = Expression::compile(node["Regex"].text());
  if (expression) return search_expression(std::move(*expression));
  node.fail(expression.error().message);
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(StepLimit& limit) : limit_(limit) {}

  PreTokenizer read(const Node& root) {
    std::vector<Node> waiting = {root};  // a stack: sequences hold sequences
    while (!waiting.empty()) {
      const Node node = waiting.back();
      waiting.pop_back();
      if (node.is_null()) continue;
      if (node.type() == "Sequence") {
        push_elements(node["pretokenizers"], waiting);
        continue;
      }
      if (!limit_.take(node, growth_of(node))) break;
      write_pending_alphabet();
      read_stage(node);
    }
    return std::move(made_);
  }

 private:
  /// How many times as long a stage makes a text at most, with the alphabet that is written before it. A mark or a
  /// space stands in front of each piece: of the first stage there is one.
  double growth_of(const Node& node) const {
    constexpr double kAlphabet = 2, kLongestMark = 4;  // bytes of a character
    const double written = made_.ends_in_bytes ? kAlphabet : 1, in_front = made_.stages.empty() ? 0 : 1;
    const std::string_view type = node.type();
    if (type == "Metaspace") return written * (kLongestMark + in_front);
    return written * (type == "ByteLevel" && node["add_prefix_space"].flag(true) ? 1 + in_front : 1);
  }

  void add(std::unique_ptr<PreTokenizerStage> stage) { made_.stages.push_back(std::move(stage)); }

  void write_pending_alphabet() {
    if (made_.ends_in_bytes) add(write_byte_alphabet());
    made_.ends_in_bytes = false;
  }

  void read_stage(const Node& node) {
    const std::string_view type = node.type();
    if (type == "ByteLevel") return read_byte_level(node);
    if (type == "Split") return read_split(node);
    if (type == "Metaspace") return read_metaspace(node);
    if (type == "Digits") {
      const bool each = node["individual_digits"].flag(false);
      return add(
          split_at({search_characters(is_number), each ? Delimiters::isolated : Delimiters::contiguous}));
    }
    if (type == "Punctuation") {
      const Node behavior = node["behavior"];
      return add(split_at({search_characters(is_punctuation),
                           behavior.is_null() ? Delimiters::isolated : read_behavior(behavior)}));
    }
    if (type == "WhitespaceSplit") return add(split_at({search_characters(is_space), Delimiters::removed}));
    if (type == "Whitespace") return read_whitespace();
    if (type == "BertPreTokenizer") {
      add(split_at({search_characters(is_space), Delimiters::removed}));
      return add(split_at({search_characters(is_punctuation), Delimiters::isolated}));
    }
    if (type == "CharDelimiterSplit") return read_delimiter(node["delimiter"]);
    node.fail("the pre_tokenizer '" + std::string(type) + "' is not supported");
  }

  void read_byte_level(const Node& node) {
    if (node["add_prefix_space"].flag(true)) add(prefix_space());
    if (node["use_regex"].flag(true)) add(split_with(kSplitGpt2));
    made_.ends_in_bytes = true;
  }

  void read_split(const Node& node) {
    const Node pattern = node["pattern"];
    const Delimiters delimiters = read_behavior(node["behavior"]);
    const bool inverted = node["invert"].flag(false);
    if (const auto expression = pattern.value().find("Regex");
        expression && delimiters == Delimiters::isolated) {
      // Isolated matches and what is between them stay alike, inverted or not.
      const Splitter splitter = splitter_of_expression(pattern["Regex"].text());
      if (splitter != nullptr) return add(split_with(splitter));
    }
    if (auto search = read_pattern(pattern))
      add(split_at({std::move(*search), delimiters, inverted ? Matches::between : Matches::found}));
  }

  void read_metaspace(const Node& node) {
    const Node replacement = node["replacement"], scheme = node["prepend_scheme"];
    const std::string mark(replacement.is_null() ? "\xE2\x96\x81" : replacement.text());
    if (mark.empty() || sequence_length(mark[0]) != mark.size())
      return replacement.fail("must be one character");
    // Files from before the scheme have add_prefix_space.
    MarkPlace place = node["add_prefix_space"].flag(true) ? MarkPlace::always : MarkPlace::never;
    if (!scheme.is_null()) {
      const std::string_view name = scheme.text();
      if (name != "always" && name != "first" && name != "never")
        return scheme.fail("the scheme '" + std::string(name) + "' is not known");
      place = name == "always" ? MarkPlace::always : name == "first" ? MarkPlace::first : MarkPlace::never;
    }
    add(metaspace({mark, place, node["split"].flag(true)}));
  }

  /// \w+|[^\w\s]+, everything else is dropped.
  void read_whitespace() {
    auto expression = Expression::compile("\\w+|[^\\w\\s]+");
    CHECK(expression.has_value());
    add(split_at({search_expression(std::move(*expression)), Delimiters::removed, Matches::between}));
  }

  void read_delimiter(const Node& node) {
    const std::string text(node.text());
    if (text.empty() || sequence_length(text[0]) != text.size()) return node.fail("must be one character");
    add(split_at({search_text(text), Delimiters::removed}));
  }

  StepLimit& limit_;
  PreTokenizer made_;
};

}  // namespace

PreTokenizer read_pre_tokenizer(const Node& node, StepLimit& limit) { return Reader(limit).read(node); }

}  // namespace baleen::huggingface
