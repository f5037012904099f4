// What a client may ask of the transport (docs/LIMITS.md); tests shorten the times.
#pragma once

#include <chrono>
#include <cstddef>

namespace baleen {

struct HttpLimits {
  using Duration = std::chrono::milliseconds;

  size_t head_bytes = 32 << 10;           ///< request line and fields; more: 431
  size_t head_fields = 64;                ///< more: 431
  size_t body_bytes = 8 << 20;            ///< more: 413
  size_t all_bodies_bytes = 256 << 20;    ///< of all requests that are being read or prepared; more: 503
  Duration head_time{10'000};             ///< from a head's first byte to its last
  Duration body_window{5'000};            ///< in each window so long …
  size_t body_window_bytes = 5 << 10;     ///< … so much of a body must come: 1 KiB/s
  Duration idle_time{60'000};             ///< without a byte of a request
  Duration write_time{30'000};            ///< without the client taking a byte of its answer
  Duration linger_time{2'000};            ///< for a refused client to read why
  Duration heartbeat{10'000};             ///< a comment goes out on a silent event stream
  size_t stream_bytes = 1 << 20;          ///< events a client has not read yet; more: cancelled
  size_t connections = 2048;              ///< the one idle longest makes room for a new one
  size_t connections_per_address = 1024;  ///< above the 512 requests that must be able to queue from one host
  Duration tick{200};                     ///< how often deadlines are looked at
};

}  // namespace baleen
