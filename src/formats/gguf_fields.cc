#include "formats/gguf_fields.h"

#include <algorithm>
#include <limits>

namespace baleen {

std::string GgufFields::full(std::string_view key) const {
  return key.starts_with('.') ? architecture_ + std::string(key) : std::string(key);
}

bool GgufFields::is_per_layer(std::string_view key, const GgufEntry& entry) const {
  constexpr std::string_view kKeys[] = {".attention.head_count", ".attention.head_count_kv",
                                        ".feed_forward_length"};
  if (std::ranges::find(kKeys, key) == std::end(kKeys)) return false;
  const bool numbers = entry.element == GgufType::u32 || entry.element == GgufType::i32;
  const Value layers = find(".block_count");
  const auto* count = std::get_if<int64_t>(&layers);
  return numbers && count != nullptr && *count > 0 && entry.count == static_cast<uint64_t>(*count);
}

/// All layers' number where it is one.
Fields::Value GgufFields::number_of_layers(const GgufEntry& entry) {
  ByteReader reader(entry.bytes);
  const auto first = reader.read<int32_t>();
  for (uint64_t i = 1; i < entry.count; ++i)
    if (reader.read<int32_t>() != first) return OtherKind{};
  return int64_t{first};
}

Fields::Value GgufFields::find(std::string_view key) const {
  const GgufEntry* entry = metadata_.find(full(key));
  if (entry == nullptr) return Absent{};
  ByteReader reader(entry->bytes);
  switch (entry->type) {
    case GgufType::u8:
      return int64_t{reader.read<uint8_t>()};
    case GgufType::i8:
      return int64_t{reader.read<int8_t>()};
    case GgufType::u16:
      return int64_t{reader.read<uint16_t>()};
    case GgufType::i16:
      return int64_t{reader.read<int16_t>()};
    case GgufType::u32:
      return int64_t{reader.read<uint32_t>()};
    case GgufType::i32:
      return int64_t{reader.read<int32_t>()};
    case GgufType::i64:
      return reader.read<int64_t>();
    case GgufType::u64: {  // what int64 cannot hold is out of every field's range
      const auto number = reader.read<uint64_t>();
      constexpr auto kMost = std::numeric_limits<int64_t>::max();
      return number > static_cast<uint64_t>(kMost) ? kMost : static_cast<int64_t>(number);
    }
    case GgufType::f32:
      return double{reader.read<float>()};
    case GgufType::f64:
      return reader.read<double>();
    case GgufType::boolean:
      return reader.read<uint8_t>() != 0;
    case GgufType::string:
      return entry->text();
    case GgufType::array:
      return is_per_layer(key, *entry) ? number_of_layers(*entry) : OtherKind{};
  }
  return OtherKind{};
}

std::string GgufFields::describe(std::string_view key) const {
  const std::string name = full(key);
  const GgufEntry* entry = metadata_.find(name);
  return entry != nullptr ? baleen::describe(*entry) : name + " (metadata at byte 24)";
}

}  // namespace baleen
