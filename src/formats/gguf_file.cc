#include "formats/gguf_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/byte_reader.h"
#include "base/checked.h"

namespace baleen {
namespace {

// Limits of contract.md, "Files".
constexpr uint64_t kMaxTensors = 65'536;
constexpr uint64_t kMaxTensorNameBytes = 64;
constexpr uint32_t kMaxDimensions = 4;
constexpr uint64_t kMinAlignment = 8, kMaxAlignment = 65'536;

constexpr uint64_t kDefaultAlignment = 32;                   // GGUF specification, general.alignment
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;  // name, dimensions, one size, type, offset

/// A tensor's entry of the table, before its bytes are looked at.
struct TableEntry {
  Tensor tensor;
  uint64_t entry_offset = 0;  ///< of the entry in the file
  uint64_t data_offset = 0;   ///< of the bytes, from the start of the data
};

std::string describe(const TableEntry& entry) {
  return fmt::format("tensor {} at byte {}", entry.tensor.name, entry.entry_offset);
}

Result<uint64_t> read_alignment(const GgufMetadata& metadata) {
  const GgufEntry* entry = metadata.find("general.alignment");
  if (entry == nullptr) return kDefaultAlignment;
  if (entry->type != GgufType::u32) return bad_input(describe(*entry) + ": must be a uint32");
  const auto alignment = ByteReader(entry->bytes).read<uint32_t>();
  if (!std::has_single_bit(alignment) || alignment < kMinAlignment || alignment > kMaxAlignment)
    return bad_input(fmt::format("{}: {} is not a power of two from {} to {}", describe(*entry), alignment,
                                 kMinAlignment, kMaxAlignment));
  return alignment;
}

Result<void> read_name(ByteReader& reader, uint64_t index, TableEntry& entry) {
  const std::string what = fmt::format("name of tensor {}", index);
  auto name = read_gguf_string(reader, kMaxTensorNameBytes, what);
  if (!name) return error_of(name);
  if (name->empty() || name->find('\0') != std::string_view::npos)
    return bad_input(fmt::format("{} at byte {}: {}", what, entry.entry_offset,
                                 name->empty() ? "is empty" : "contains NUL"));
  entry.tensor.name = *name;
  return {};
}

/// Fills the shape from GGUF's ne[0], ne[1], …: columns first.
Result<void> read_shape(ByteReader& reader, TableEntry& entry) {
  const auto dimensions = reader.read<uint32_t>();
  if (reader.failed()) return bad_input(describe(entry) + ": the file ends inside it");
  if (dimensions < 1 || dimensions > kMaxDimensions)
    return bad_input(
        fmt::format("{}: {} dimensions, 1 to {} are possible", describe(entry), dimensions, kMaxDimensions));
  std::array<int64_t, kMaxDimensions> size{1, 1, 1, 1};
  int64_t product = 1;
  for (uint32_t i = 0; i < dimensions; ++i) {
    size[i] = reader.read<int64_t>();
    if (reader.failed()) return bad_input(describe(entry) + ": the file ends inside it");
    const auto next = size[i] > 0 ? checked_mul(product, size[i]) : std::nullopt;
    if (!next)
      return bad_input(fmt::format("{}: dimension {} is {}, which makes no size", describe(entry), i,
                                   static_cast<uint64_t>(size[i])));
    product = *next;
  }
  entry.tensor.dimensions = static_cast<int>(dimensions);
  entry.tensor.cols = size[0];
  entry.tensor.rows = size[1];
  entry.tensor.depth = size[2] * size[3];
  return {};
}

Result<void> read_type(ByteReader& reader, TableEntry& entry) {
  const auto number = reader.read<uint32_t>();
  entry.data_offset = reader.read<uint64_t>();
  if (reader.failed()) return bad_input(describe(entry) + ": the file ends inside it");
  const auto type = find_block_type(number);
  if (!type || number >= static_cast<uint32_t>(BlockType::f8_e4m3))
    return bad_input(fmt::format("{}: unknown tensor type {}", describe(entry), number));
  entry.tensor.type = type->type;
  if (entry.tensor.cols % type->values != 0)
    return bad_input(fmt::format("{}: rows of {} values, not a multiple of {}'s block of {}", describe(entry),
                                 entry.tensor.cols, type->name, type->values));
  return {};
}

Result<TableEntry> read_table_entry(ByteReader& reader, uint64_t index) {
  TableEntry entry;
  entry.entry_offset = reader.offset();
  if (auto name = read_name(reader, index, entry); !name) return error_of(name);
  if (auto shape = read_shape(reader, entry); !shape) return error_of(shape);
  if (auto type = read_type(reader, entry); !type) return error_of(type);
  return entry;
}

/// Bytes of a tensor whose number of values fits int64.
std::optional<uint64_t> tensor_bytes(const Tensor& tensor) {
  const BlockTypeInfo& type = info(tensor.type);
  const int64_t values = tensor.depth * tensor.rows * tensor.cols;
  return checked_mul(static_cast<uint64_t>(values / type.values), static_cast<uint64_t>(type.bytes));
}

Result<void> locate(TableEntry& entry, std::span<const std::byte> data, uint64_t header_bytes,
                    uint64_t alignment) {
  Tensor& tensor = entry.tensor;
  if (entry.data_offset % alignment != 0)
    return bad_input(fmt::format("{}: offset {} is not a multiple of the alignment {}", describe(entry),
                                 entry.data_offset, alignment));
  const auto size = tensor_bytes(tensor);
  const auto end = size ? checked_add(entry.data_offset, *size) : std::nullopt;
  if (!end || *end > data.size())
    return bad_input(
        fmt::format("{}: {} x {} x {} of {} from offset {} reaches past the end of the file, which has "
                    "{} bytes of data: the download is incomplete, try `baleen pull` again",
                    describe(entry), tensor.depth, tensor.rows, tensor.cols, info(tensor.type).name,
                    entry.data_offset, data.size()));
  tensor.bytes = data.subspan(entry.data_offset, *size);
  tensor.file_offset = header_bytes + entry.data_offset;
  return {};
}

Result<void> check_names_and_overlap(std::span<const TableEntry> entries) {
  std::vector<const TableEntry*> order;
  order.reserve(entries.size());
  for (const TableEntry& entry : entries) order.push_back(&entry);
  const auto name = [](const TableEntry* entry) -> const std::string& { return entry->tensor.name; };
  std::ranges::stable_sort(order, {}, name);
  if (const auto twin = std::ranges::adjacent_find(order, {}, name); twin != order.end())
    return bad_input(describe(*twin[1]) + ": duplicate name");
  std::ranges::sort(order, {}, &TableEntry::data_offset);
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->data_offset < order[i - 1]->data_offset + order[i - 1]->tensor.bytes.size())
      return bad_input(fmt::format("{}: overlaps tensor {}", describe(*order[i]), order[i - 1]->tensor.name));
  return {};
}

struct Header {
  uint64_t tensors = 0, entries = 0;
};

Result<Header> read_header(ByteReader& reader) {
  const std::string_view magic = reader.take_text(4);
  if (magic != "GGUF") return bad_input("magic at byte 0: not a GGUF file");
  const auto version = reader.read<uint32_t>();
  if (!reader.failed() && (std::byteswap(version) == 2 || std::byteswap(version) == 3))
    return bad_input("version at byte 4: a big-endian GGUF file, only little-endian ones are read");
  if (!reader.failed() && version != 2 && version != 3)
    return bad_input(fmt::format("version at byte 4: GGUF version {}, 2 and 3 are known", version));
  Header header;
  header.tensors = reader.read<uint64_t>();
  header.entries = reader.read<uint64_t>();
  if (reader.failed())
    return bad_input(fmt::format("header at byte {}: the file ends inside it", reader.offset()));
  if (header.tensors > kMaxTensors || header.tensors > reader.remaining() / kMinTensorBytes)
    return bad_input(
        fmt::format("tensor_count at byte 8: {} tensors, the limit is {} and what the file's bytes hold",
                    header.tensors, kMaxTensors));
  return header;
}

}  // namespace

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  auto header = read_header(reader);
  if (!header) return error_of(header);
  auto metadata = GgufMetadata::parse(reader, header->entries);
  if (!metadata) return error_of(metadata);
  auto alignment = read_alignment(*metadata);
  if (!alignment) return error_of(alignment);

  GgufFile file;
  file.table_offset = reader.offset();
  std::vector<TableEntry> entries;
  entries.reserve(header->tensors);
  for (uint64_t i = 0; i < header->tensors; ++i) {
    auto entry = read_table_entry(reader, i);
    if (!entry) return error_of(entry);
    entries.push_back(std::move(*entry));
  }

  const uint64_t aligned = (reader.offset() + *alignment - 1) / *alignment * *alignment;
  file.header_bytes =
      std::min<uint64_t>(aligned, bytes.size());  // without tensors the padding may be missing
  for (TableEntry& entry : entries)
    if (auto located = locate(entry, bytes.subspan(file.header_bytes), file.header_bytes, *alignment);
        !located)
      return error_of(located);
  if (auto checked = check_names_and_overlap(entries); !checked) return error_of(checked);
  file.metadata = std::move(*metadata);
  file.tensors.reserve(entries.size());
  for (TableEntry& entry : entries) file.tensors.push_back(std::move(entry.tensor));
  return file;
}

}  // namespace baleen
