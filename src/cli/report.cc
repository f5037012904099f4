#include "cli/report.h"

#include <cstdio>

#include "base/utf8.h"

namespace baleen {
namespace {

constexpr size_t kMaxLine = 4096 - sizeof("error: \n");  // contract.md: one line of at most 4 KiB

/// C0, DEL and C1 controls, and what some readers take for a line's end: U+0085, U+2028, U+2029.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  if (sequence.size() == 2) return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
  return sequence == "\u2028" || sequence == "\u2029";
}

}  // namespace

std::string clean_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const Utf8Sequence first = first_utf8_sequence(text);
    const std::string_view sequence = text.substr(0, first.length);
    const std::string_view shown = !first.valid ? "\uFFFD" : is_control(sequence) ? "?" : sequence;
    if (line.size() + shown.size() > kMaxLine) break;
    line += shown;
    text.remove_prefix(sequence.size());
  }
  return line;
}

int report(const Error& error) {
  std::fprintf(stderr, "error: %s\n", clean_line(error.message).c_str());
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

int report(const Result<void>& done) { return done ? 0 : report(done.error()); }

}  // namespace baleen
