// Unicode normalisation forms (UAX #15) with Unicode 16.0.0 data.
#pragma once

#include <string>
#include <string_view>

namespace baleen {

enum class NormalForm { nfc, nfd, nfkc, nfkd };

/// `text` itself where it can be seen at once to be in that form, else a copy in `buffer`. `text` is valid
/// UTF-8. Linear but for runs of combining marks, which are sorted.
std::string_view normalized(std::string_view text, NormalForm form, std::string& buffer);

}  // namespace baleen
