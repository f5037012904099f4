// The server's log: one line a request, without any of its text.
#pragma once

namespace baleen {

/// Sends the log to stderr from a thread of its own, so that a reader who does not keep up holds nothing back.
void start_log();
/// Writes what is still waiting.
void finish_log();

}  // namespace baleen
