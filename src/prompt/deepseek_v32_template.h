// DeepSeek V3.2's chat format, which is published as Python code and without a template (facts: DeepSeek-V3.2's
// encoding_dsv32.py, MIT). It is written here as a template, so that limits, Python's ways of printing and the guard
// against control tokens in a caller's strings are those of all others.
#pragma once

#include <string_view>

namespace baleen {

/// Variables beside those of every template: thinking_mode ("chat" or "thinking"), or thinking or enable_thinking as a
/// boolean; tools stand at the system message or in the request. Reasoning before the last user message is dropped.
extern const std::string_view kDeepSeekV32Template;

}  // namespace baleen
