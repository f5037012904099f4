#include "cli/pull/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace baleen {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr double kMegabyte = 1e6;

bool on_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace

ProgressLine::ProgressLine(std::string label) : label_(std::move(label)), terminal_(on_terminal()) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputc('\n', stderr);
}

void ProgressLine::update(uint64_t done, std::optional<uint64_t> total, uint64_t resumed) {
  const auto now = Clock::now();
  const bool complete = total && done == *total;
  if (!terminal_ || done == 0 || (now < next_ && !complete)) return;
  next_ = now + kInterval;
  const double seconds = std::max(std::chrono::duration<double>(now - start_).count(), 1e-3);
  const double speed = static_cast<double>(done - std::min(resumed, done)) / kMegabyte / seconds;
  const double megabytes = static_cast<double>(done) / kMegabyte;
  std::fprintf(stderr, "\r%s  %.1f", label_.c_str(), megabytes);
  if (total) std::fprintf(stderr, " of %.1f", static_cast<double>(*total) / kMegabyte);
  std::fprintf(stderr, " MB, %.1f MB/s\033[K", speed);
  std::fflush(stderr);
  shown_ = true;
}

void say(const std::string& line) {
  if (on_terminal()) std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace baleen
