#include <cstdio>
#include <string>
#include <string_view>

#include "cli/commands.h"

namespace baleen {
namespace {

constexpr size_t kMaxLine = 4096 - sizeof("error: \n");  // contract.md: one line of at most 4 KiB

/// Bytes of the UTF-8 sequence at the start of `text`, 0 where there is no valid one.
size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0;
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

/// C0, DEL and C1 controls, and what some readers take for a line's end: U+0085, U+2028, U+2029.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  if (sequence.size() == 2) return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
  return sequence == "\u2028" || sequence == "\u2029";
}

std::string one_clean_line(std::string_view message) {
  std::string line;
  while (!message.empty()) {
    const size_t length = sequence_length(message);
    const std::string_view sequence = message.substr(0, length == 0 ? 1 : length);
    const std::string_view shown = length == 0 ? "\uFFFD" : is_control(sequence) ? "?" : sequence;
    if (line.size() + shown.size() > kMaxLine) break;
    line += shown;
    message.remove_prefix(sequence.size());
  }
  return line;
}

}  // namespace

int report(const Error& error) {
  std::fprintf(stderr, "error: %s\n", one_clean_line(error.message).c_str());
  switch (error.kind) {
    case ErrorKind::failed:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::bad_input:
      return 3;
  }
  return 1;
}

}  // namespace baleen
