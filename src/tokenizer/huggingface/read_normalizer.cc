#include <algorithm>

#include "tokenizer/huggingface/parts.h"

namespace baleen::huggingface {
namespace {

void read_replace(const Node& node, Normalizer& normalizer) {
  const Node pattern = node["pattern"];
  const std::string_view content = node["content"].text();
  if (pattern.value().find("String")) {
    const std::string_view from = pattern["String"].text();
    if (from.empty()) return pattern.fail("must not be empty");
    return normalizer.add(replace(from, content));
  }
  auto expression = Expression::compile(pattern["Regex"].text());
  if (!expression) return pattern.fail(expression.error().message);
  normalizer.add(replace_matches(std::move(*expression), content));
}

// How many times as long UTF-8 can get (Unicode FAQ, "Normalization"; U+023A in lower case).
constexpr double kCanonicalGrowth = 3, kCompatibilityGrowth = 11, kLowerGrowth = 1.5;

double size_of(const Node& text) { return static_cast<double>(text.text().size()); }

/// How many times as long a step makes a text at most. What stands in front of one stands behind every added token too.
double growth_of(const Node& node) {
  const std::string_view type = node.type();
  if (type == "NFC" || type == "NFD") return kCanonicalGrowth;
  if (type == "NFKC" || type == "NFKD") return kCompatibilityGrowth;
  if (type == "Lowercase") return kLowerGrowth;
  if (type == "ByteLevel") return 2;
  if (type == "Prepend") return 1 + size_of(node["prepend"]) / 2;
  if (type != "Replace") return 1;
  const Node pattern = node["pattern"];
  if (!pattern.value().find("String")) return 1 + size_of(node["content"]);  // matches may be empty
  return size_of(node["content"]) / std::max(size_of(pattern["String"]), 1.0);
}

void read_strip(const Node& node, Normalizer& normalizer) {
  const bool left = node["strip_left"].flag(true), right = node["strip_right"].flag(true);
  if (left || right) normalizer.add(strip(left && right ? Sides::both : left ? Sides::left : Sides::right));
}

}  // namespace

void read_normalizer(const Node& root, StepLimit& limit, Normalizer& normalizer) {
  std::vector<Node> waiting = {root};  // a stack: sequences hold sequences
  while (!waiting.empty()) {
    const Node node = waiting.back();
    waiting.pop_back();
    if (node.is_null()) continue;
    const std::string_view type = node.type();
    if (type == "Sequence") {
      push_elements(node["normalizers"], waiting);
      continue;
    }
    if (!limit.take(node, growth_of(node))) return;
    if (type == "NFC") {
      normalizer.add(normalize_to(NormalForm::nfc));
    } else if (type == "NFD") {
      normalizer.add(normalize_to(NormalForm::nfd));
    } else if (type == "NFKC") {
      normalizer.add(normalize_to(NormalForm::nfkc));
    } else if (type == "NFKD") {
      normalizer.add(normalize_to(NormalForm::nfkd));
    } else if (type == "Lowercase") {
      normalizer.add(lower_case());
    } else if (type == "StripAccents") {
      normalizer.add(strip_accents());
    } else if (type == "Strip") {
      read_strip(node, normalizer);
    } else if (type == "Prepend") {
      normalizer.add(prepend(node["prepend"].text()));
    } else if (type == "Replace") {
      read_replace(node, normalizer);
    } else if (type == "ByteLevel") {
      normalizer.add(to_byte_alphabet());
    } else {
      node.fail("the normalizer '" + std::string(type) + "' is not supported");
    }
  }
}

}  // namespace baleen::huggingface
