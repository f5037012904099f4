#include "formats/gguf_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/check.h"

namespace baleen {
namespace {

constexpr uint64_t kAlignment = 32;  // GGUF's default, so that general.alignment need not be written

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void put_text(std::string& out, std::string_view text) {
  put(out, uint64_t{text.size()});
  out += text;
}

}  // namespace

GgufWriter::~GgufWriter() {
  if (file_ == nullptr) return;
  file_.reset();
  std::error_code ignored;
  std::filesystem::remove(part_, ignored);
}

void GgufWriter::put_key(std::string_view key, GgufType type) {
  put_text(metadata_, key);
  put(metadata_, static_cast<uint32_t>(type));
  ++entries_;
}

void GgufWriter::add_u32(std::string_view key, uint32_t value) {
  put_key(key, GgufType::u32);
  put(metadata_, value);
}

void GgufWriter::put_array(std::string_view key, GgufType element, uint64_t count) {
  put_key(key, GgufType::array);
  put(metadata_, static_cast<uint32_t>(element));
  put(metadata_, count);
}

void GgufWriter::add_f32(std::string_view key, float value) {
  put_key(key, GgufType::f32);
  put(metadata_, value);
}

void GgufWriter::add_bool(std::string_view key, bool value) {
  put_key(key, GgufType::boolean);
  put(metadata_, static_cast<uint8_t>(value ? 1 : 0));
}

void GgufWriter::add_texts(std::string_view key, std::span<const std::string> texts) {
  put_array(key, GgufType::string, texts.size());
  for (const std::string& text : texts) put_text(metadata_, text);
}

void GgufWriter::add_text(std::string_view key, std::string_view text) {
  put_key(key, GgufType::string);
  put_text(metadata_, text);
}

void GgufWriter::add(const GgufEntry& entry) {
  put_key(entry.key, entry.type);
  if (entry.type == GgufType::string) return put_text(metadata_, entry.text());
  if (entry.type == GgufType::array) {
    put(metadata_, static_cast<uint32_t>(entry.element));
    put(metadata_, entry.count);
  }
  metadata_ += entry.text();
}

void GgufWriter::add_tensor(std::string_view name, BlockType type, std::span<const int64_t> shape) {
  put_text(table_, name);
  put(table_, static_cast<uint32_t>(shape.size()));
  int64_t values = 1;
  for (int64_t dimension : shape) {
    put(table_, dimension);
    values *= dimension;
  }
  put(table_, static_cast<uint32_t>(type));
  put(table_, offset_);
  const BlockTypeInfo& block = info(type);
  tensor_bytes_.push_back(static_cast<uint64_t>(values / block.values * block.bytes));
  offset_ = aligned(offset_ + tensor_bytes_.back());
}

Result<void> GgufWriter::begin(const std::filesystem::path& path) {
  path_ = path;
  part_ = path.string() + ".part";
  file_.reset(std::fopen(part_.c_str(), "wbe"));
  if (file_ == nullptr) return disk_error();
  std::string header = "GGUF";
  put(header, uint32_t{3});
  put(header, uint64_t{tensor_bytes_.size()});
  put(header, entries_);
  header += metadata_ + table_;
  if (Result<void> done = write(std::as_bytes(std::span(header))); !done) return done;
  return pad();
}

Result<void> GgufWriter::write(std::span<const std::byte> bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return disk_error();
  written_ += bytes.size();
  return {};
}

Result<void> GgufWriter::pad() {
  const std::byte zeros[kAlignment] = {};
  Result<void> done = write(std::span(zeros).first(aligned(written_) - written_));
  written_ = 0;  // from here on: bytes of the current tensor, which starts aligned
  return done;
}

Result<void> GgufWriter::end_tensor() {
  CHECK(current_ < tensor_bytes_.size() && written_ == tensor_bytes_[current_]);
  ++current_;
  return pad();
}

Result<void> GgufWriter::finish() {
  CHECK(current_ == tensor_bytes_.size());
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) return disk_error();
  file_.reset();
  std::error_code error;
  std::filesystem::rename(part_, path_, error);
  if (error) return failed(path_.string() + ": " + error.message());
  return {};
}

std::unexpected<Error> GgufWriter::disk_error() const {
  return failed(part_.string() + ": " + std::strerror(errno));
}

}  // namespace baleen
