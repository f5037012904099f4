// Unicode 16.0.0 as compact text, written by script/unicode_tables. unicode.cc and normalize.cc unfold it.
#pragma once

#include <string_view>

namespace baleen {

/// "A3B": three code points of category A, then one of B, from U+0000 to U+10FFFF. Letters: unicode.h.
extern const std::string_view kCategoryRuns;
/// "768,21,230;": skip 768 code points, then 21 of canonical combining class 230 (decimal).
extern const std::string_view kCombiningRuns;
/// "C0=41,300;" in hex. "=": canonical and composes again, "!": canonical and does not, "~": compatibility. A
/// code point that follows the one before it is left out.
extern const std::string_view kDecompositions;
/// "41,61;" in hex: a code point and its full lower case.
extern const std::string_view kLowerCases;

}  // namespace baleen
