#include "formats/error_text.h"

namespace baleen {
namespace {

constexpr size_t kMaxShown = 160;
constexpr size_t kMaxPath = 1024;

}  // namespace

std::string shown(std::string_view text) {
  if (text.size() <= kMaxShown) return std::string(text);
  size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return std::string(text.substr(0, end)) + "…";
}

std::unexpected<Error> in_file(const std::filesystem::path& path, Error error) {
  const std::string whole = path.string();
  error.message = (whole.size() <= kMaxPath ? whole : path.filename().string()) + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace baleen
