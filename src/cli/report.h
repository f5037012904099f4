// How commands tell of an error.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

/// Prints "error: …" as one clean line to stderr (UTF-8, no control bytes, at most 4 KiB); returns the exit code.
int report(const Error& error);
/// The same, or 0 where there is none.
int report(const Result<void>& done);

/// The text as one line: control bytes become '?', what is no UTF-8 U+FFFD; cut at 4 KiB.
std::string clean_line(std::string_view text);

}  // namespace baleen
