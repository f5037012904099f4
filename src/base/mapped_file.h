// A read-only mapping of a whole regular file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/error.h"

namespace baleen {

class MappedFile {
 public:
  /// bad_input where there is no such regular file (a directory, FIFO or device included) or it cannot be
  /// read. An empty file maps to an empty span.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Tells the kernel that these bytes will not be read again, so that they leave memory (MADV_DONTNEED on
  /// the whole pages inside).
  void release(std::span<const std::byte> part) const;

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  void unmap();

  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// From now on a read of a mapped file that has shrunk or whose disk fails ends the process with one line
/// "error: …" and exit code 3 instead of a signal. Called once by main.
void report_lost_mappings();

}  // namespace baleen
