// GGUF metadata as Fields.
#pragma once

#include <string>
#include <string_view>

#include "formats/fields.h"
#include "formats/gguf_metadata.h"

namespace baleen {

/// Keys that begin with '.' are the architecture's: ".block_count" is "llama.block_count" in a file of
/// architecture llama.
class GgufFields : public Fields {
 public:
  /// `metadata` must outlive it.
  GgufFields(const GgufMetadata& metadata, std::string_view architecture)
      : metadata_(metadata), architecture_(architecture) {}

 protected:
  Value find(std::string_view key) const override;
  std::string describe(std::string_view key) const override;

 private:
  std::string full(std::string_view key) const;
  /// Files of some converters state the shape of attention and MLP for each layer: read where all are equal.
  bool is_per_layer(std::string_view key, const GgufEntry& entry) const;
  static Value number_of_layers(const GgufEntry& entry);

  const GgufMetadata& metadata_;
  std::string architecture_;
};

}  // namespace baleen
