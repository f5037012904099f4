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

void read_strip(const Node& node, Normalizer& normalizer) {
  const bool left = node["strip_left"].flag(true), right = node["strip_right"].flag(true);
  if (left || right) normalizer.add(strip(left && right ? Sides::both : left ? Sides::left : Sides::right));
}

}  // namespace

void read_normalizer(const Node& root, Normalizer& normalizer) {
  std::vector<Node> waiting = {root};  // a stack: sequences hold sequences
  while (!waiting.empty()) {
    const Node node = waiting.back();
    waiting.pop_back();
    if (node.is_null()) continue;
    const std::string_view type = node.type();
    if (type == "Sequence") {
      push_elements(node["normalizers"], waiting);
    } else if (type == "NFC") {
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
