// The key-value part of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2
// and 3. Views into the file; nothing is copied and nothing is allocated from a count that the file could not
// hold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/error.h"

namespace baleen {

/// GGUF's value types with their numbers.
enum class GgufType : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

struct GgufEntry {
  std::string_view key;
  uint64_t offset = 0;  ///< of the value in the file
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;   ///< arrays: type of the elements, never array
  uint64_t count = 1;                ///< arrays: elements
  std::span<const std::byte> bytes;  ///< scalars and arrays of them: values; strings: the text; arrays of
                                     ///< strings: each with its length in front

  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

class GgufMetadata {
 public:
  /// Reads `count` entries. Checks keys (UTF-8, no NUL, no duplicates), types, bools, strings and limits
  /// (contract.md).
  static Result<GgufMetadata> parse(ByteReader& reader, uint64_t count);

  const GgufEntry* find(std::string_view key) const;               ///< null where there is none
  std::span<const GgufEntry> entries() const { return entries_; }  ///< sorted by key

 private:
  std::vector<GgufEntry> entries_;
};

/// "KEY at byte N"
std::string describe(const GgufEntry& entry);

/// A length-prefixed string of at most `limit` bytes, valid UTF-8. `what` names it in the error.
Result<std::string_view> read_gguf_string(ByteReader& reader, uint64_t limit, std::string_view what);

/// The strings of an array of strings, in order; parse() has checked them.
class GgufStrings {
 public:
  explicit GgufStrings(const GgufEntry& entry) : reader_(entry.bytes) {}
  std::string_view next() { return reader_.take_text(reader_.read<uint64_t>()); }

 private:
  ByteReader reader_;
};

}  // namespace baleen
