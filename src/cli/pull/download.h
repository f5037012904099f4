// Files over HTTP: resumed where an earlier attempt ended, checked, and moved to their name only when complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace baleen {

struct Download {
  std::string url;
  std::filesystem::path
      target;          ///< grows as target.part; target.part.from says which version of the file that is
  std::string sha256;  ///< what it must be; empty: what the server says (x-linked-etag), if it does
  std::string token;   ///< bearer token for the URL's own host; may be empty
};

/// Returns the file's SHA-256. What has been fetched stays in target.part when the connection fails or the process is
/// interrupted, and the next call goes on from there. A file with the wrong hash is removed.
Result<std::string> download_file(const Download& download);

/// A small document; more than `max_bytes` is an error.
Result<std::string> download_text(const std::string& url, const std::string& token, size_t max_bytes);

/// `text` as one segment of a URL's path.
std::string url_segment(const std::string& text);

}  // namespace baleen
