// A JSON object as Fields (config.json, generation_config.json).
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "formats/fields.h"

namespace baleen {

/// A dot leads into an object: "rope_parameters.rope_theta". null counts as absent, as in transformers.
class JsonFields : public Fields {
 public:
  /// The document behind `object` must outlive it.
  explicit JsonFields(json::Value object) : object_(object) {}

  /// Nothing where the field is absent or null.
  json::Value::Found value(std::string_view key) const;

 protected:
  Value find(std::string_view key) const override;
  std::string describe(std::string_view key) const override { return std::string(key); }

 private:
  json::Value object_;
};

}  // namespace baleen
