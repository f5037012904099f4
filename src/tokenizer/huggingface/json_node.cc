#include "tokenizer/huggingface/json_node.h"

#include <algorithm>

namespace baleen::huggingface {

Node Node::operator[](std::string_view key) const {
  const auto found = value_.find(key);
  return {found ? *found : json::Value(), path_.empty() ? std::string(key) : path_ + "." + std::string(key),
          *problem_};
}

bool Node::expect_array() const {
  if (value_.kind() == json::Kind::array) return true;
  fail("must be an array");
  return false;
}

std::string_view Node::text() const {
  if (const auto text = value_.string()) return *text;
  fail("must be a string");
  return {};
}

bool Node::flag(bool absent) const {
  if (is_null()) return absent;
  if (const auto flag = value_.boolean()) return *flag;
  fail("must be true or false");
  return absent;
}

int32_t Node::integer(int32_t most) const {
  const auto number = value_.integer();
  if (number && *number >= 0 && *number <= most) return static_cast<int32_t>(*number);
  fail("must be a whole number from 0 to " + std::to_string(most));
  return 0;
}

double Node::number() const {
  if (const auto number = value_.number()) return *number;
  fail("must be a number");
  return 0;
}

void push_elements(const Node& list, std::vector<Node>& stack) {
  if (!list.expect_array()) return;
  const size_t first = stack.size();
  for (const auto& [key, value] : list.value()) stack.push_back(list.element(stack.size() - first, value));
  std::reverse(stack.begin() + static_cast<ptrdiff_t>(first), stack.end());
}

}  // namespace baleen::huggingface
