// Writes a GGUF v3 file: metadata and tensor table first, then the tensors' bytes one after another.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_type.h"
#include "base/error.h"
#include "formats/gguf_metadata.h"

namespace baleen {

class GgufWriter {
 public:
  void add_u32(std::string_view key, uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_text(std::string_view key, std::string_view text);
  void add_texts(std::string_view key, std::span<const std::string> texts);
  /// `element` is T's.
  template <class T>
  void add_numbers(std::string_view key, GgufType element, const std::vector<T>& numbers) {
    put_array(key, element, numbers.size());
    metadata_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
  }
  /// An entry of another file, as it stands there.
  void add(const GgufEntry& entry);
  /// `shape` in GGUF's order: the contiguous dimension first. The bytes follow by write(), in this order.
  void add_tensor(std::string_view name, BlockType type, std::span<const int64_t> shape);

  /// Opens PATH.part and writes all but the tensors' bytes. failed where the disk refuses.
  Result<void> begin(const std::filesystem::path& path);
  /// The next piece of the current tensor.
  Result<void> write(std::span<const std::byte> bytes);
  /// The current tensor is complete (CHECKed); pads to the alignment.
  Result<void> end_tensor();
  /// Syncs and gives the file its name.
  Result<void> finish();

  GgufWriter() = default;
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;
  ~GgufWriter();  ///< removes an unfinished file

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void put_key(std::string_view key, GgufType type);
  void put_array(std::string_view key, GgufType element, uint64_t count);
  Result<void> pad();
  std::unexpected<Error> disk_error() const;

  std::string metadata_, table_;
  uint64_t entries_ = 0, offset_ = 0, written_ = 0;
  std::vector<uint64_t> tensor_bytes_;
  size_t current_ = 0;
  std::filesystem::path path_, part_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace baleen
