// Turns parts of golden files back into JSON text.
#pragma once

#include <string>

#include "base/json.h"

namespace baleen {

inline void write(json::Writer& writer, const json::Value& value) {
  switch (value.kind()) {
    case json::Kind::null:
      writer.null();
      break;
    case json::Kind::boolean:
      writer.value(*value.boolean());
      break;
    case json::Kind::integer:
      writer.value(*value.integer());
      break;
    case json::Kind::real: {  // 1500.0 stays a float
      json::Writer number;
      number.value(*value.number());
      const bool whole = number.text().find_first_of(".e") == std::string::npos;
      writer.raw(number.text() + (whole ? ".0" : ""));
      break;
    }
    case json::Kind::string:
      writer.value(*value.string());
      break;
    case json::Kind::array:
      writer.begin_array();
      for (const auto& [key, item] : value) write(writer, item);
      writer.end_array();
      break;
    case json::Kind::object:
      writer.begin_object();
      for (const auto& [key, item] : value) write(writer.key(key), item);
      writer.end_object();
      break;
  }
}

inline std::string text_member(const json::Value& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->string() ? std::string(*member->string()) : std::string();
}

}  // namespace baleen
