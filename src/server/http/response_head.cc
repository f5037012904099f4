#include "server/http/response_head.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <boost/beast/http/status.hpp>
#include <cstdint>
#include <ctime>

#include "base/check.h"

namespace baleen {
namespace {

/// RFC 9110 section 5.6.7, by hand because strftime follows the locale.
std::string http_date(std::time_t now) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  gmtime_r(&now, &t);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(t.tm_wday)],
                     t.tm_mday, kMonths[static_cast<size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min,
                     t.tm_sec);
}

}  // namespace

std::string random_digits() {
  std::array<uint64_t, 2> bits{};
  CHECK(getrandom(bits.data(), sizeof bits, 0) == sizeof bits);
  return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

std::string new_request_id() { return "req_" + random_digits(); }

std::string response_head(const HttpResponse& response, std::string_view request_id, std::string_view framing,
                          std::string_view connection) {
  const auto status = boost::beast::http::int_to_status(static_cast<unsigned>(response.status));
  const auto reason = boost::beast::http::obsolete_reason(status);
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
  if (!response.content_type.empty()) head += fmt::format("content-type: {}\r\n", response.content_type);
  for (const auto& [name, value] : response.fields) {
    CHECK(value.find_first_of("\r\n") == value.npos);
    head += fmt::format("{}: {}\r\n", name, value);
  }
  head += fmt::format(
      "x-request-id: {}\r\nx-content-type-options: nosniff\r\ndate: {}\r\n{}connection: {}\r\n\r\n",
      request_id, http_date(std::time(nullptr)), framing, connection);
  return head;
}

std::string chunk_of(std::string_view bytes) { return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes); }

}  // namespace baleen
