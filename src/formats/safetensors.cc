#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/json.h"
#include "formats/error_text.h"

namespace baleen {
namespace {

constexpr uint64_t kHeaderLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr size_t kMaxTensors = 1'000'000;
constexpr size_t kMaxDimensions = 8;
constexpr size_t kMaxNameBytes = 1024;

struct Dtype {
  std::string_view name;
  int64_t bits;
  std::optional<BlockType> type;
};

constexpr Dtype kDtypes[] = {
    {"F32", 32, BlockType::f32},
    {"F16", 16, BlockType::f16},
    {"BF16", 16, BlockType::bf16},
    {"F8_E4M3", 8, BlockType::f8_e4m3},
    {"F8_E8M0", 8, BlockType::f8_e8m0},
    {"F64", 64, BlockType::f64},
    {"I64", 64, BlockType::i64},
    {"I32", 32, BlockType::i32},
    {"I16", 16, BlockType::i16},
    {"I8", 8, BlockType::i8},
    {"U64", 64, {}},
    {"U32", 32, {}},
    {"U16", 16, {}},
    {"U8", 8, {}},
    {"BOOL", 8, {}},
    {"F8_E5M2", 8, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"F4", 4, {}},
    {"C64", 64, {}},
};

/// An error of the header's entry `name`: JSON has no byte offset that helps, the header's own is 8.
std::unexpected<Error> bad_entry(std::string_view name, std::string_view what) {
  return bad_input(fmt::format("tensor {} (header at byte {}): {}", shown(name), kHeaderLengthBytes, what));
}

Result<void> read_shape(json::Value value, SafetensorsEntry& entry) {
  const auto shape = value.find("shape");
  if (!shape || shape->kind() != json::Kind::array) return bad_entry(entry.name, "shape must be an array");
  if (shape->size() > kMaxDimensions)
    return bad_entry(entry.name,
                     fmt::format("{} dimensions, the limit is {}", shape->size(), kMaxDimensions));
  for (const auto [key, size] : *shape) {
    const auto number = size.kind() == json::Kind::integer ? size.integer() : std::nullopt;
    if (!number || *number < 0) return bad_entry(entry.name, "shape must be of sizes");
    entry.shape.push_back(*number);
  }
  return {};
}

/// Bytes of the tensor; nothing where they do not fit.
std::optional<uint64_t> bytes_of(const std::vector<int64_t>& shape, int64_t bits) {
  uint64_t total = static_cast<uint64_t>(bits);
  for (const int64_t size : shape) {
    const auto product = checked_mul(total, static_cast<uint64_t>(size));
    if (!product) return std::nullopt;
    total = *product;
  }
  return total % 8 == 0 ? std::optional(total / 8) : std::nullopt;
}

Result<void> read_offsets(json::Value value, const Dtype& dtype, std::span<const std::byte> data,
                          SafetensorsEntry& entry) {
  const auto offsets = value.find("data_offsets");
  if (!offsets || offsets->kind() != json::Kind::array || offsets->size() != 2)
    return bad_entry(entry.name, "data_offsets must be two numbers");
  uint64_t ends[2] = {};
  size_t count = 0;
  for (const auto [key, end] : *offsets) {
    const auto number = end.kind() == json::Kind::integer ? end.integer() : std::nullopt;
    if (!number || *number < 0) return bad_entry(entry.name, "data_offsets must be sizes");
    ends[count++] = static_cast<uint64_t>(*number);
  }
  if (ends[0] > ends[1] || ends[1] > data.size())
    return bad_entry(entry.name,
                     fmt::format("data_offsets {} to {} do not lie in the file's {} bytes of data: an "
                                 "incomplete download? try `baleen pull` again",
                                 ends[0], ends[1], data.size()));
  const auto size = bytes_of(entry.shape, dtype.bits);
  if (size != ends[1] - ends[0])
    return bad_entry(entry.name,
                     fmt::format("data_offsets hold {} bytes, shape and dtype {} ask for another number",
                                 ends[1] - ends[0], dtype.name));
  entry.bytes = data.subspan(ends[0], ends[1] - ends[0]);
  entry.offset = ends[0];
  return {};
}

Result<SafetensorsEntry> read_entry(std::string_view name, json::Value value,
                                    std::span<const std::byte> data) {
  SafetensorsEntry entry;
  entry.name = name;
  if (name.empty() || name.size() > kMaxNameBytes || name.find('\0') != std::string_view::npos)
    return bad_entry(name, "the name is empty, too long or contains NUL");
  if (value.kind() != json::Kind::object) return bad_entry(name, "must be an object");
  const auto dtype_value = value.find("dtype");
  const auto dtype_name = dtype_value ? dtype_value->string() : std::nullopt;
  if (!dtype_name) return bad_entry(name, "dtype must be a string");
  const auto dtype = std::ranges::find(kDtypes, *dtype_name, &Dtype::name);
  if (dtype == std::end(kDtypes))
    return bad_entry(name, fmt::format("unknown dtype \"{}\"", shown(*dtype_name)));
  entry.dtype = *dtype_name;
  entry.type = dtype->type;
  if (auto shape = read_shape(value, entry); !shape) return error_of(shape);
  if (auto offsets = read_offsets(value, *dtype, data, entry); !offsets) return error_of(offsets);
  return entry;
}

Result<void> check_metadata(json::Value value) {
  constexpr std::string_view kWhat = "__metadata__ (header at byte 8): must be an object of strings";
  if (value.kind() != json::Kind::object) return bad_input(std::string(kWhat));
  for (const auto [key, text] : value)
    if (!text.string()) return bad_input(std::string(kWhat));
  return {};
}

/// Back to back from the first byte to the last.
Result<void> check_layout(const std::vector<SafetensorsEntry>& entries, uint64_t data_bytes) {
  uint64_t end = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.offset != end)
      return bad_entry(entry.name,
                       fmt::format("begins at byte {} of the data, the tensor before it ends at {}: {}",
                                   entry.offset, end, entry.offset < end ? "overlap" : "hole"));
    end = entry.offset + entry.bytes.size();
  }
  if (end != data_bytes)
    return bad_input(
        fmt::format("data after the last tensor: {} bytes at byte {} of the data", data_bytes - end, end));
  return {};
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto length = reader.read<uint64_t>();
  if (reader.failed()) return bad_input("header length at byte 0: the file ends inside it");
  if (length > kMaxHeaderBytes || length > reader.remaining())
    return bad_input(fmt::format("header length at byte 0: {} bytes, the limit is {} and what the file has",
                                 length, kMaxHeaderBytes));
  const std::string_view text = reader.take_text(length);
  if (!text.starts_with('{')) return bad_input("header at byte 8: does not begin with {");
  auto document = json::Document::parse(text, json::kSafetensorsLimits);
  if (!document) return bad_input("header at byte 8: " + document.error().message);

  SafetensorsFile file;
  file.header_bytes = reader.offset();
  const auto data = bytes.subspan(file.header_bytes);
  if (document->root().size() > kMaxTensors)
    return bad_input(fmt::format("header at byte 8: more than {} tensors", kMaxTensors));
  for (const auto [name, value] : document->root()) {
    if (name == "__metadata__") {
      if (auto checked = check_metadata(value); !checked) return error_of(checked);
      continue;
    }
    auto entry = read_entry(name, value, data);
    if (!entry) return error_of(entry);
    file.entries.push_back(std::move(*entry));
  }
  std::ranges::sort(file.entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.offset, a.bytes.size()) < std::pair(b.offset, b.bytes.size());  // empty tensors first
  });
  if (auto layout = check_layout(file.entries, data.size()); !layout) return error_of(layout);
  for (SafetensorsEntry& entry : file.entries) entry.offset += file.header_bytes;
  return file;
}

}  // namespace baleen
