#include "formats/gguf_metadata.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "formats/error_text.h"

namespace baleen {
namespace {

// Limits of contract.md, "Files".
constexpr uint64_t kMaxKeys = 65'536;
constexpr uint64_t kMaxKeyBytes = 65'535;
constexpr uint64_t kMaxStringBytes = 1 << 20;
constexpr uint64_t kMaxTemplateBytes = 4 << 20;
constexpr uint64_t kMaxTokenBytes = 4096;
constexpr uint64_t kMaxElements = 4 << 20;

constexpr uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;  // length and one byte of key, type, the smallest value

/// Bytes of a scalar; 0 for strings, arrays and what is no type.
uint64_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::string:
    case GgufType::array:
      return 0;
  }
  return 0;
}

bool is_type(uint32_t number) { return number <= static_cast<uint32_t>(GgufType::f64); }

uint64_t string_limit(std::string_view key) {
  if (key.starts_with("tokenizer.chat_template")) return kMaxTemplateBytes;
  return key == "tokenizer.ggml.tokens" ? kMaxTokenBytes : kMaxStringBytes;
}

std::unexpected<Error> ends_inside(std::string_view what, uint64_t offset) {
  return bad_input(fmt::format("{} at byte {}: the file ends inside it", shown(what), offset));
}

Result<void> read_scalars(ByteReader& reader, GgufEntry& entry, GgufType type) {
  entry.bytes = reader.take(entry.count * scalar_bytes(type));  // count <= kMaxElements
  if (reader.failed()) return ends_inside(entry.key, entry.offset);
  if (type == GgufType::boolean)
    for (std::byte value : entry.bytes)
      if (value > std::byte{1})
        return bad_input(
            fmt::format("{}: a bool is {}, neither 0 nor 1", describe(entry), std::to_integer<int>(value)));
  return {};
}

Result<void> read_string_array(ByteReader& reader, GgufEntry& entry) {
  if (entry.count > reader.remaining() / sizeof(uint64_t)) return ends_inside(entry.key, entry.offset);
  ByteReader start = reader;
  const uint64_t begin = reader.offset();
  for (uint64_t i = 0; i < entry.count; ++i) {
    auto text = read_gguf_string(reader, string_limit(entry.key), entry.key);
    if (!text) {
      text.error().message += fmt::format(" (element {})", i);
      return error_of(text);
    }
  }
  entry.bytes = start.take(reader.offset() - begin);
  return {};
}

Result<void> read_array(ByteReader& reader, GgufEntry& entry) {
  const auto element = reader.read<uint32_t>();
  entry.count = reader.read<uint64_t>();
  if (reader.failed()) return ends_inside(entry.key, entry.offset);
  if (!is_type(element))
    return bad_input(fmt::format("{}: array of unknown type {}", describe(entry), element));
  entry.element = static_cast<GgufType>(element);
  if (entry.element == GgufType::array) return bad_input(fmt::format("{}: array of arrays", describe(entry)));
  if (entry.count > kMaxElements)
    return bad_input(
        fmt::format("{}: array of {} elements, the limit is {}", describe(entry), entry.count, kMaxElements));
  return entry.element == GgufType::string ? read_string_array(reader, entry)
                                           : read_scalars(reader, entry, entry.element);
}

Result<void> read_value(ByteReader& reader, GgufEntry& entry) {
  const uint64_t type_offset = reader.offset();
  const auto type = reader.read<uint32_t>();
  if (reader.failed()) return ends_inside(entry.key, type_offset);
  if (!is_type(type))
    return bad_input(
        fmt::format("{} at byte {}: unknown value type {}", shown(entry.key), type_offset, type));
  entry.type = static_cast<GgufType>(type);
  entry.offset = reader.offset();
  if (entry.type == GgufType::array) return read_array(reader, entry);
  if (entry.type != GgufType::string) return read_scalars(reader, entry, entry.type);
  auto text = read_gguf_string(reader, string_limit(entry.key), entry.key);
  if (!text) return error_of(text);
  if (text->find('\0') != std::string_view::npos)
    return bad_input(describe(entry) + ": the string contains NUL");
  entry.bytes = std::as_bytes(std::span(*text));
  return {};
}

Result<GgufEntry> read_entry(ByteReader& reader, uint64_t index) {
  GgufEntry entry;
  const uint64_t key_offset = reader.offset();
  const std::string what = fmt::format("key {} of the metadata", index);
  auto key = read_gguf_string(reader, kMaxKeyBytes, what);
  if (!key) return error_of(key);
  if (key->empty()) return bad_input(fmt::format("{} at byte {}: is empty", what, key_offset));
  if (key->find('\0') != std::string_view::npos)
    return bad_input(fmt::format("{} at byte {}: contains NUL", what, key_offset));
  entry.key = *key;
  auto value = read_value(reader, entry);
  if (!value) return error_of(value);
  return entry;
}

}  // namespace

std::string describe(const GgufEntry& entry) {
  return fmt::format("{} at byte {}", shown(entry.key), entry.offset);
}

Result<std::string_view> read_gguf_string(ByteReader& reader, uint64_t limit, std::string_view what) {
  const uint64_t offset = reader.offset();
  const auto length = reader.read<uint64_t>();
  if (reader.failed()) return ends_inside(what, offset);
  if (length > limit)
    return bad_input(fmt::format("{} at byte {}: string of {} bytes, the limit is {}", shown(what), offset,
                                 length, limit));
  const std::string_view text = reader.take_text(length);
  if (reader.failed()) return ends_inside(what, offset);
  if (!is_utf8(text)) return bad_input(fmt::format("{} at byte {}: not valid UTF-8", shown(what), offset));
  return text;
}

Result<GgufMetadata> GgufMetadata::parse(ByteReader& reader, uint64_t count) {
  if (count > kMaxKeys || count > reader.remaining() / kMinEntryBytes)
    return bad_input(fmt::format(
        "metadata_kv_count at byte 16: {} entries, the limit is {} and what the file's {} bytes hold", count,
        kMaxKeys, reader.offset() + reader.remaining()));
  GgufMetadata metadata;
  metadata.entries_.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    auto entry = read_entry(reader, i);
    if (!entry) return error_of(entry);
    metadata.entries_.push_back(*entry);
  }
  std::ranges::stable_sort(metadata.entries_, {}, &GgufEntry::key);
  const auto twin = std::ranges::adjacent_find(metadata.entries_, {}, &GgufEntry::key);
  if (twin != metadata.entries_.end()) return bad_input(describe(twin[1]) + ": duplicate key");
  return metadata;
}

const GgufEntry* GgufMetadata::find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(entries_, key, {}, &GgufEntry::key);
  return found != entries_.end() && found->key == key ? &*found : nullptr;
}

}  // namespace baleen
