#include "engine/stop_matcher.h"

#include <algorithm>

namespace baleen {

StopMatcher::StopMatcher(const std::vector<std::string>& stops) {
  for (const std::string& stop : stops) {
    if (stop.empty()) continue;
    Matcher matcher{.stop = stop, .border = std::vector<uint32_t>(stop.size())};
    for (size_t i = 1, k = 0; i < stop.size(); ++i) {
      while (k > 0 && stop[i] != stop[k]) k = matcher.border[k - 1];
      if (stop[i] == stop[k]) ++k;
      matcher.border[i] = static_cast<uint32_t>(k);
    }
    matchers_.push_back(std::move(matcher));
  }
}

bool StopMatcher::Matcher::push(char byte) {
  if (matched == stop.size()) matched = border[matched - 1];
  while (matched > 0 && stop[matched] != byte) matched = border[matched - 1];
  if (stop[matched] == byte) ++matched;
  return matched == stop.size();
}

size_t StopMatcher::push(char byte) {
  size_t longest = 0;
  held_ = 0;
  for (Matcher& matcher : matchers_) {
    if (matcher.push(byte)) longest = std::max(longest, matcher.stop.size());
    held_ = std::max(held_, matcher.matched);
  }
  return longest;
}

}  // namespace baleen
