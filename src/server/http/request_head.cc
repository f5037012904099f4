#include "server/http/request_head.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

namespace baleen {
namespace {

constexpr size_t kMethodBytes = 32;    // the longest registered method has 17
constexpr size_t kTargetBytes = 8192;  // RFC 9112 section 3 asks for at least 8,000

std::unexpected<HttpRefusal> refusal(int status, std::string_view reason) {
  return std::unexpected(HttpRefusal{status, reason});
}

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

/// VCHAR, obs-text, space and tab.
bool is_field_char(char c) { return c == '\t' || static_cast<unsigned char>(c) >= 0x20; }

bool is_host_char(char c) { return is_token_char(c) || std::string_view(".:[]@,;=()").contains(c); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes one line off the front of `bytes`; refuses one that does not end in CR LF or has another CR or a
/// NUL.
std::expected<std::string_view, HttpRefusal> take_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return refusal(400, "the request head is incomplete");
  if (end == 0 || bytes[end - 1] != '\r') return refusal(400, "a header line ends in LF without CR");
  const std::string_view line = bytes.substr(0, end - 1);
  if (line.find('\r') != line.npos || line.find('\0') != line.npos)
    return refusal(400, "a header line has a CR or NUL in it");
  bytes.remove_prefix(end + 1);
  return line;
}

std::expected<void, HttpRefusal> parse_request_line(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) return refusal(400, "the request line is malformed");
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (method.size() > kMethodBytes || !is_token(method))
    return refusal(400, "the request method is malformed");
  if (target.size() > kTargetBytes) return refusal(414, "the request target is too long");
  if (target.empty() || !std::ranges::all_of(target, is_visible))
    return refusal(400, "the request target is malformed");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return version.starts_with("HTTP/") ? refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
                                        : refusal(400, "the request line is malformed");
  head.method = method;
  head.target = target;
  head.old_version = version == "HTTP/1.0";
  head.keep_alive = !head.old_version;
  return {};
}

std::expected<HttpField, HttpRefusal> parse_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return refusal(400, "a header line is folded");
  const size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)))
    return refusal(400, "a header field has a malformed name");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(value, is_field_char))
    return refusal(400, "a header field has a control character");
  return HttpField{lower(line.substr(0, colon)), std::string(value)};
}

std::expected<void, HttpRefusal> read_length(std::string_view value, const HttpLimits& limits,
                                             RequestHead& head) {
  if (value.empty() || !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
    return refusal(400, "Content-Length is not a number");
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head.content_length);
  if (error != std::errc() || head.content_length > limits.body_bytes)
    return refusal(413, "the request body is too large");
  return {};
}

void read_connection(std::string_view value, RequestHead& head) {
  const std::string options = lower(value);
  for (std::string_view rest = options; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (trim(rest.substr(0, comma)) == "close") head.keep_alive = false;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

/// Everything that decides where a request ends must be there once and mean one thing.
std::expected<void, HttpRefusal> read_framing(const HttpLimits& limits, RequestHead& head) {
  int hosts = 0, lengths = 0, codings = 0;
  for (const auto& [name, value] : head.fields) {
    if (name == "host") {
      if (++hosts > 1) return refusal(400, "there is more than one Host field");
      if (!std::ranges::all_of(value, is_host_char)) return refusal(400, "the Host field is malformed");
    } else if (name == "content-length") {
      if (++lengths > 1) return refusal(400, "there is more than one Content-Length field");
      if (auto ok = read_length(value, limits, head); !ok) return ok;
    } else if (name == "transfer-encoding") {
      if (++codings > 1 || lower(value) != "chunked" || head.old_version)
        return refusal(400, "the only Transfer-Encoding taken is chunked");
      head.chunked = true;
    } else if (name == "content-encoding") {
      return refusal(415, "encoded request bodies are not taken");
    } else if (name == "expect") {
      if (lower(value) != "100-continue") return refusal(417, "the only Expect known is 100-continue");
      head.expects_continue = !head.old_version;
    } else if (name == "connection") {
      read_connection(value, head);
    }
  }
  if (hosts == 0 && !head.old_version) return refusal(400, "the Host field is missing");
  if (lengths > 0 && codings > 0)
    return refusal(400, "Content-Length and Transfer-Encoding exclude each other");
  return {};
}

}  // namespace

std::expected<RequestHead, HttpRefusal> parse_request_head(std::string_view bytes, const HttpLimits& limits) {
  if (bytes.size() > limits.head_bytes) return refusal(431, "the request head is too large");
  RequestHead head;
  auto line = take_line(bytes);
  if (!line) return std::unexpected(line.error());
  if (auto ok = parse_request_line(*line, head); !ok) return std::unexpected(ok.error());
  while (true) {
    line = take_line(bytes);
    if (!line) return std::unexpected(line.error());
    if (line->empty()) break;
    if (head.fields.size() == limits.head_fields) return refusal(431, "there are too many header fields");
    auto field = parse_field(*line);
    if (!field) return std::unexpected(field.error());
    head.fields.push_back(std::move(*field));
  }
  if (auto ok = read_framing(limits, head); !ok) return std::unexpected(ok.error());
  return head;
}

std::expected<void, HttpRefusal> check_partial_head(std::string_view bytes, size_t checked,
                                                    const HttpLimits& limits) {
  if (bytes.size() > limits.head_bytes) return refusal(431, "the request head is too large");
  if (!bytes.empty() && !is_token_char(bytes.front())) return refusal(400, "this is not an HTTP/1.1 request");
  const size_t first = bytes.find('\n');
  if (first != bytes.npos && first >= checked) {
    RequestHead head;
    std::string_view rest = bytes;
    auto line = take_line(rest);
    if (!line) return std::unexpected(line.error());
    if (auto ok = parse_request_line(*line, head); !ok) return ok;
  }
  for (size_t at = bytes.find('\n', checked); at != bytes.npos; at = bytes.find('\n', at + 1))
    if (at == 0 || bytes[at - 1] != '\r') return refusal(400, "a header line ends in LF without CR");
  return {};
}

std::expected<Target, HttpRefusal> parse_target(std::string_view target) {
  namespace urls = boost::urls;
  if (target == "*") return Target{"*", ""};
  const urls::string_view text(target.data(), target.size());
  const auto url = target.starts_with('/') ? urls::parse_origin_form(text) : urls::parse_absolute_uri(text);
  if (!url) return refusal(400, "the request target is malformed");
  if (!target.starts_with('/') && url->scheme_id() != urls::scheme::http)
    return refusal(400, "the request target is malformed");
  Target parsed;
  parsed.path = url->path();
  parsed.query = std::string(url->encoded_query());
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(parsed.path, is_control)) return refusal(400, "the request target is malformed");
  if (parsed.path.empty()) parsed.path = "/";
  return parsed;
}

}  // namespace baleen
