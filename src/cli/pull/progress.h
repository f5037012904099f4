// A line that shows how far a download is, on a terminal; nothing in a pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace baleen {

class ProgressLine {
 public:
  explicit ProgressLine(std::string label);
  ~ProgressLine();  ///< ends the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Bytes so far and in all; `resumed` of them were there at the start.
  void update(uint64_t done, std::optional<uint64_t> total, uint64_t resumed);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now(), next_ = start_;
};

/// One line to stderr, on a terminal only.
void say(const std::string& line);

}  // namespace baleen
