#include "server/openai/json_copy.h"

#include <vector>

namespace baleen::openai {
namespace {

struct Open {
  json::Value::Iterator next, end;
  bool is_object;
};

/// Writes a scalar, or opens an array or object.
void begin(const json::Value& value, json::Writer& writer, std::vector<Open>& open) {
  switch (value.kind()) {
    case json::Kind::null:
      writer.null();
      break;
    case json::Kind::boolean:
      writer.value(*value.boolean());
      break;
    case json::Kind::integer:
      if (const auto number = value.integer())
        writer.value(*number);
      else
        writer.value(static_cast<uint64_t>(*value.number()));
      break;
    case json::Kind::real:
      writer.value(*value.number());
      break;
    case json::Kind::string:
      writer.value(*value.string());
      break;
    case json::Kind::array:
      writer.begin_array();
      open.push_back({value.begin(), value.end(), false});
      break;
    case json::Kind::object:
      writer.begin_object();
      open.push_back({value.begin(), value.end(), true});
      break;
  }
}

}  // namespace

void copy(const json::Value& value, json::Writer& writer) {
  std::vector<Open> open;
  begin(value, writer, open);
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next == top.end) {
      top.is_object ? writer.end_object() : writer.end_array();
      open.pop_back();
      continue;
    }
    const auto [key, element] = *top.next;
    ++top.next;
    if (top.is_object) writer.key(key);
    begin(element, writer, open);
  }
}

}  // namespace baleen::openai
