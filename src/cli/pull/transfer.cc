#include "cli/pull/transfer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/check.h"

namespace baleen {
namespace {

constexpr long kConnectSeconds = 30, kStallSeconds = 60, kMaxRedirects = 10;

/// Once for the process, before the first request.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(started == CURLE_OK);
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "bytes 100-199/200" or "bytes */200" (RFC 9110, 14.4).
void read_range(std::string_view value, ResponseHead& head) {
  constexpr std::string_view kUnit = "bytes ";
  if (!value.starts_with(kUnit)) return;
  value.remove_prefix(kUnit.size());
  head.range_begin = number(value.substr(0, value.find('-')));
  if (const size_t slash = value.find('/'); slash != std::string_view::npos)
    head.range_total = number(value.substr(slash + 1));
}

}  // namespace

Transfer::Transfer(const std::string& url, const std::string& token, Sink sink)
    : url_(url), curl_((start_libcurl(), curl_easy_init()), &curl_easy_cleanup), sink_(std::move(sink)) {
  CHECK(curl_ != nullptr);
  CURL* curl = curl_.get();
  curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "baleen");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // Never from https to http.
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  if (!token.empty()) {  // libcurl drops it when a redirect leaves the host
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token.c_str());
  }
}

void Transfer::ask_for_rest(uint64_t offset, const std::string& validator) {
  curl_easy_setopt(curl_.get(), CURLOPT_RANGE, (std::to_string(offset) + "-").c_str());
  if (validator.empty()) return;
  fields_.reset(curl_slist_append(nullptr, ("If-Range: " + validator).c_str()));
  curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, fields_.get());
}

void Transfer::show(Progress progress) {
  progress_ = std::move(progress);
  curl_easy_setopt(curl_.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_.get(), CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_easy_setopt(curl_.get(), CURLOPT_XFERINFODATA, this);
}

Result<void> Transfer::run() {
  const CURLcode code = curl_easy_perform(curl_.get());
  if (code != CURLE_OK) return std::unexpected(explain(code));
  return {};
}

long Transfer::status() const {
  long status = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::optional<uint64_t> Transfer::content_length() const {
  curl_off_t length = -1;
  curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0) return std::nullopt;
  return static_cast<uint64_t>(length);
}

size_t Transfer::on_header(const char* data, size_t size, size_t count, void* self) {
  static_cast<Transfer*>(self)->read_header({data, size * count});
  return size * count;
}

size_t Transfer::on_body(const char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  transfer->sink_error_ = transfer->sink_({data, size * count});
  return transfer->sink_error_ ? CURL_WRITEFUNC_ERROR : size * count;
}

int Transfer::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  static_cast<Transfer*>(self)->progress_(static_cast<uint64_t>(received));
  return 0;
}

void Transfer::read_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a redirect's answer starts over
    head_ = {"", "", head_.linked_etag, std::nullopt, std::nullopt};
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "etag") head_.etag = value;
  if (name == "last-modified") head_.last_modified = value;
  if (name == "x-linked-etag") head_.linked_etag = value;
  if (name == "content-range") read_range(value, head_);
}

Error Transfer::explain(CURLcode code) const {
  if (sink_error_) return {ErrorKind::failed, *sink_error_};
  if (code != CURLE_HTTP_RETURNED_ERROR)
    return {ErrorKind::failed,
            url_ + ": " + curl_easy_strerror(code) + "; the same command goes on where this ended"};
  const std::string answered = url_ + ": the server answered " + std::to_string(status());
  if (status() == 401 || status() == 403)
    return {ErrorKind::failed,
            answered + ": a gated or private model needs its owner's consent and HF_TOKEN"};
  if (status() == 404) return {ErrorKind::failed, answered + ": there is no such file or repository"};
  return {ErrorKind::failed, answered};
}

}  // namespace baleen
