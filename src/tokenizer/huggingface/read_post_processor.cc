#include <utility>

#include "tokenizer/huggingface/parts.h"

namespace baleen::huggingface {
namespace {

class Reader {
 public:
  explicit Reader(int32_t vocabulary) : vocabulary_(vocabulary) {}

  Surroundings read(const Node& root) {
    std::vector<Node> waiting = {root};
    while (!waiting.empty()) {
      const Node node = waiting.back();
      waiting.pop_back();
      if (node.is_null()) continue;
      const std::string_view type = node.type();
      if (type == "Sequence")
        push_elements(node["processors"], waiting);
      else if (type == "TemplateProcessing")
        read_template(node);
      else if (type == "RobertaProcessing" || type == "BertProcessing")
        wrap({{pair_id(node["cls"])}, {pair_id(node["sep"])}});
      else if (type != "ByteLevel")  // which only moves offsets
        node.fail("the post_processor '" + std::string(type) + "' is not supported");
    }
    return std::move(made_);
  }

 private:
  /// Processors that come later go around what earlier ones made.
  void wrap(Surroundings around) {
    around.prefix.insert(around.prefix.end(), made_.prefix.begin(), made_.prefix.end());
    made_.suffix.insert(made_.suffix.end(), around.suffix.begin(), around.suffix.end());
    made_.prefix = std::move(around.prefix);
  }

  /// ["</s>", 2]
  int32_t pair_id(const Node& node) const {
    if (!node.expect_array()) return 0;
    if (node.value().size() == 2)
      return node.element(1, (*++node.value().begin()).second).integer(vocabulary_ - 1);
    node.fail("must be a token and its id");
    return 0;
  }

  void read_template(const Node& node) {
    const Node single = node["single"], special_tokens = node["special_tokens"];
    if (!single.expect_array()) return;
    Surroundings around;
    bool after = false;
    size_t index = 0;
    for (const auto& [key, value] : single.value()) {
      const Node item = single.element(index++, value);
      if (value.find("Sequence")) {
        if (after) item.fail("a second Sequence in a template for one");
        after = true;
        continue;
      }
      const Node ids = special_tokens[item["SpecialToken"]["id"].text()]["ids"];
      if (!ids.expect_array()) return;
      size_t at = 0;
      for (const auto& [none, id] : ids.value())
        (after ? around.suffix : around.prefix).push_back(ids.element(at++, id).integer(vocabulary_ - 1));
    }
    wrap(std::move(around));
  }

  int32_t vocabulary_;
  Surroundings made_;
};

}  // namespace

Surroundings read_post_processor(const Node& node, int32_t vocabulary) {
  return Reader(vocabulary).read(node);
}

}  // namespace baleen::huggingface
