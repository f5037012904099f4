// Reads little-endian values from a span. A read past the end gives zero and sets failed(); once failed it
// stays so, and a parser checks it at each point where it would otherwise use what it read.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace baleen {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
    requires std::is_arithmetic_v<T>
  T read() {
    static_assert(std::endian::native == std::endian::little);
    T value{};
    if (remaining() < sizeof(T)) {
      failed_ = true;
      return value;
    }
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  /// The next `size` bytes; an empty span where fewer are left.
  std::span<const std::byte> take(uint64_t size) {
    if (failed_ || remaining() < size) {
      failed_ = true;
      return {};
    }
    auto taken = bytes_.subspan(offset_, static_cast<size_t>(size));
    offset_ += static_cast<size_t>(size);
    return taken;
  }
  std::string_view take_text(uint64_t size) {
    auto taken = take(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  bool failed() const { return failed_; }
  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return failed_ ? 0 : bytes_.size() - offset_; }

 private:
  std::span<const std::byte> bytes_;
  size_t offset_ = 0;
  bool failed_ = false;
};

}  // namespace baleen
