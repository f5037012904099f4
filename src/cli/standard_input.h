// Commands that take their input from stdin: as a whole, or a JSON value a line (--lines).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

std::string read_standard_input();

/// Calls `answer` with each line of stdin (ended by LF alone; the last one need not be) and prints the JSON
/// value that it gives as a line, an error as {"error": message}. Returns the exit code: 0, or 1 where stdout is
/// gone.
int answer_lines(const std::function<Result<std::string>(std::string_view line)>& answer);

}  // namespace baleen
