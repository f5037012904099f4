// One HTTP request with libcurl: what every fetch has in common. Used by download.cc alone.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

/// The last response's header fields that matter here; linked_etag survives redirects (the Hugging Face hub sends a
/// file's SHA-256 with the redirect to where the file is).
struct ResponseHead {
  std::string etag, last_modified, linked_etag;
  std::optional<uint64_t> range_begin, range_total;  ///< Content-Range
};

class Transfer {
 public:
  /// Takes a part of the body; an error message ends the transfer.
  using Sink = std::function<std::optional<std::string>(std::string_view part)>;
  using Progress = std::function<void(uint64_t received)>;

  Transfer(const std::string& url, const std::string& token, Sink sink);
  void ask_for_rest(uint64_t offset, const std::string& validator);
  void show(Progress progress);

  /// `failed` with a sentence for a person where there is no complete 2xx answer; status() says more.
  Result<void> run();

  const ResponseHead& head() const { return head_; }
  long status() const;
  std::optional<uint64_t> content_length() const;

 private:
  static size_t on_header(const char* data, size_t size, size_t count, void* self);
  static size_t on_body(const char* data, size_t size, size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t);
  void read_header(std::string_view line);
  Error explain(CURLcode code) const;

  std::string url_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> fields_{nullptr, &curl_slist_free_all};
  Sink sink_;
  Progress progress_;
  ResponseHead head_;
  std::optional<std::string> sink_error_;
};

}  // namespace baleen
