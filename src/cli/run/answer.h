// One answer on the terminal or in a pipe: the text goes to stdout as it comes, its speed to stderr.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/run/interrupt.h"
#include "engine/engine.h"

namespace baleen {

struct Answer {
  std::string text;
  FinishReason reason = FinishReason::stop;
};

/// Runs the request to its end or to Ctrl-C. usage where the prompt is too long, failed where the engine fails.
Result<Answer> write_answer(Engine& engine, GenerationRequest request, Interrupt& interrupt);

/// The text without what a terminal would obey: control characters but line feed and tab.
std::string for_terminal(const std::string& text);

}  // namespace baleen
