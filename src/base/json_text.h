// What is done to a JSON text before simdjson sees it: limits are counted and integers that it would refuse
// are marked as reals. Used by json.cc alone.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace baleen::json {

/// The text with "e0" behind each integer outside -2^63 … 2^64 - 1, so that it arrives as a double. bad_input
/// where the text is longer, deeper or has more values than the limits allow. Linear, and says nothing about
/// whether the text is JSON.
Result<std::string> within_limits(std::string_view text, const Limits& limits);

}  // namespace baleen::json
