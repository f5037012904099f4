#include "formats/json_fields.h"

#include <limits>

namespace baleen {

json::Value::Found JsonFields::value(std::string_view key) const {
  json::Value at = object_;
  while (true) {
    const size_t dot = key.find('.');
    const auto member = at.find(key.substr(0, dot));
    if (!member || member->is_null()) return std::nullopt;
    at = *member;
    if (dot == std::string_view::npos) return at;
    key.remove_prefix(dot + 1);
  }
}

Fields::Value JsonFields::find(std::string_view key) const {
  const auto found = value(key);
  if (!found) return Absent{};
  switch (found->kind()) {
    case json::Kind::null:
      return Absent{};
    case json::Kind::boolean:
      return found->boolean().value_or(false);
    case json::Kind::integer:  // one beyond int64 is out of every field's range
      return found->integer().value_or(std::numeric_limits<int64_t>::max());
    case json::Kind::real:
      return found->number().value_or(0);
    case json::Kind::string:
      return found->string().value_or("");
    case json::Kind::array:
    case json::Kind::object:
      return OtherKind{};
  }
  return OtherKind{};
}

}  // namespace baleen
