#include <algorithm>
#include <charconv>
#include <utility>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/huggingface/parts.h"
#include "tokenizer/utf8_text.h"

namespace baleen::huggingface {
namespace {

using Step = std::function<std::string(std::string)>;

Step replace_text(std::string from, std::string to) {
  return [step = std::shared_ptr<NormalizerStep>(replace(from, to))](std::string token) {
    std::string buffer;
    return std::string(step->apply(token, buffer));
  };
}

std::string byte_fallback(std::string token) {
  if (const auto byte = byte_of_fallback(token)) return {static_cast<char>(*byte)};
  return token;
}

std::string from_byte_alphabet(std::string token) { return bytes_of(token).value_or(token); }

/// Drops up to `left` and `right` of a character at the ends.
Step strip_each(std::string character, size_t left, size_t right) {
  return [=](std::string token) {
    std::string_view text = token;
    for (size_t i = 0; i < left && text.starts_with(character); ++i) text.remove_prefix(character.size());
    for (size_t i = 0; i < right && text.ends_with(character); ++i) text.remove_suffix(character.size());
    return std::string(text);
  };
}

/// How many times as long a step makes a token at most.
double growth_of(const Node& node) {
  const Node pattern = node["pattern"];
  if (node.type() != "Replace" || !pattern.value().find("String")) return 1;
  const size_t from = pattern["String"].text().size(), to = node["content"].text().size();
  return static_cast<double>(to) / static_cast<double>(std::max<size_t>(from, 1));
}

}  // namespace

Decoder::Decoder(const Node& root) {
  if (root.is_null()) {
    // Without a decoder tokens are joined with spaces.
    steps_.push_back([](std::string token) { return " " + token; });
    start_ = {StartSpaces::Drop::first, 1};
    return;
  }
  constexpr double kMostGrowth = 4;  // published decoders make texts shorter
  StepLimit limit(kMostGrowth);
  std::vector<Node> waiting = {root};
  while (!waiting.empty()) {
    const Node node = waiting.back();
    waiting.pop_back();
    if (node.type() == "Sequence")
      push_elements(node["decoders"], waiting);
    else if (limit.take(node, growth_of(node)))
      read(node);
    else
      return;
  }
}

void Decoder::read(const Node& node) {
  const std::string_view type = node.type();
  if (type == "ByteLevel") {
    steps_.push_back(from_byte_alphabet);
  } else if (type == "ByteFallback") {
    steps_.push_back(byte_fallback);
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (type == "Strip") {
    read_strip(node);
  } else if (type == "Replace") {
    read_replace(node);
  } else if (type == "Metaspace") {
    read_metaspace(node);
  } else {
    node.fail("the decoder '" + std::string(type) + "' is not supported");
  }
}

void Decoder::read_replace(const Node& node) {
  const Node pattern = node["pattern"];
  const std::string to(node["content"].text());
  if (!pattern.value().find("String")) return pattern.fail("only a String is supported in a decoder");
  const std::string from(pattern["String"].text());
  if (from.empty()) return pattern.fail("must not be empty");
  steps_.push_back(replace_text(from, to));
}

void Decoder::read_strip(const Node& node) {
  const std::string content(node["content"].text());
  const auto start = static_cast<size_t>(node["start"].integer(1024));
  const auto stop = static_cast<size_t>(node["stop"].integer(1024));
  if (content.empty()) return node["content"].fail("must not be empty");
  if (!fused_) return steps_.push_back(strip_each(content, start, stop));
  if (content != " " || stop != 0) return node.fail("after Fuse only spaces at the start can be stripped");
  start_ = {StartSpaces::Drop::first, start};
}

void Decoder::read_metaspace(const Node& node) {
  const Node replacement = node["replacement"], scheme = node["prepend_scheme"];
  const std::string mark(replacement.is_null() ? "\xE2\x96\x81" : replacement.text());
  if (mark.empty()) return replacement.fail("must be one character");
  steps_.push_back(replace_text(mark, " "));
  const bool prefixed = scheme.is_null() ? node["add_prefix_space"].flag(true) : scheme.text() != "never";
  // The library drops every mark of the first token.
  if (prefixed) start_ = {StartSpaces::Drop::all_of_first_token, 0};
}

std::string Decoder::bytes(std::string_view token) const {
  std::string text(token);
  for (const Step& step : steps_) text = step(std::move(text));
  return text;
}

}  // namespace baleen::huggingface
