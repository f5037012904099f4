#include "server/http/request_head.h"

namespace baleen {
namespace {

int status_for(std::string_view head) {
  const auto parsed = parse_request_head(head, HttpLimits{});
  return parsed ? 200 : parsed.error().status;
}

struct Case {
  const char* name;
  std::string head;
  int status;
};

std::string fields(int count, size_t bytes_each) {
  std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 1; i < count; ++i) head += "a: " + std::string(bytes_each, 'b') + "\r\n";
  return head + "\r\n";
}

std::vector<Case> cases() {
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n", post = "POST / HTTP/1.1\r\nHost: x\r\n";
  return {
      {"plain", get + "\r\n", 200},
      {"old version needs no Host", "GET / HTTP/1.0\r\n\r\n", 200},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", get + "host: x\r\n\r\n", 400},
      {"Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
      {"CR in a value", get + "a: b\rc\r\n\r\n", 400},
      {"NUL in a value", get + std::string("a: b\0c\r\n\r\n", 10), 400},
      {"control character in a value", get + "a: b\x01\r\n\r\n", 400},
      {"folded line", get + "a: b\r\n c\r\n\r\n", 400},
      {"first line folded", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {"space before the colon", get + "a : b\r\n\r\n", 400},
      {"field without a colon", get + "abc\r\n\r\n", 400},
      {"empty field name", get + ": b\r\n\r\n", 400},
      {"UTF-8 in a value", get + "a: \u00e9\r\n\r\n", 200},
      {"length", post + "Content-Length: 5\r\n\r\n", 200},
      {"length with a plus", post + "Content-Length: +5\r\n\r\n", 400},
      {"negative length", post + "Content-Length: -1\r\n\r\n", 400},
      {"length list", post + "Content-Length: 5, 5\r\n\r\n", 400},
      {"hexadecimal length", post + "Content-Length: 0x5\r\n\r\n", 400},
      {"empty length", post + "Content-Length:\r\n\r\n", 400},
      {"two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
      {"two different lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"largest body", post + "Content-Length: 8388608\r\n\r\n", 200},
      {"one byte more", post + "Content-Length: 8388609\r\n\r\n", 413},
      {"length 2^63", post + "Content-Length: 9223372036854775808\r\n\r\n", 413},
      {"length 2^64", post + "Content-Length: 18446744073709551616\r\n\r\n", 413},
      {"chunked", post + "Transfer-Encoding: Chunked\r\n\r\n", 200},
      {"length and chunked", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 400},
      {"chunked twice in one", post + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
      {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunked in an old version", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"gzip body", post + "Content-Encoding: gzip\r\n\r\n", 415},
      {"identity body", post + "Content-Encoding: identity\r\n\r\n", 415},
      {"unknown expectation", post + "Expect: cake\r\n\r\n", 417},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"lower-case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"method with a brace", "G{T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"64 fields", fields(64, 1), 200},
      {"65 fields", fields(65, 1), 431},
      {"50 fields of 16 KiB", fields(50, 320), 200},
      {"over 32 KiB", fields(60, 600), 431},
      {"long target", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
  };
}

TEST(RequestHead, IsTakenOrRefused) {
  for (const Case& c : cases()) EXPECT_EQ(status_for(c.head), c.status) << c.name;
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](std::string_view head) { return parse_request_head(head, HttpLimits{})->keep_alive; };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestHead, PartialHeadsAreRefusedEarly) {
  const auto check = [](std::string_view bytes) {
    return check_partial_head(bytes, 0, HttpLimits{}).has_value();
  };
  EXPECT_TRUE(check("GET / HT"));
  EXPECT_TRUE(check("GET / HTTP/1.1\r\nHos"));
  EXPECT_FALSE(check("GET / HTTP/1.1\nHos"));
  EXPECT_FALSE(check("GET /\r\n"));
  EXPECT_FALSE(check("\x16\x03\x01"));  // a TLS greeting
  EXPECT_FALSE(check("GET / HTTP/1.1\r\nHost: x\n"));
}

TEST(RequestTarget, IsDecoded) {
  EXPECT_EQ(parse_target("/v1/models/a%2Fb?c=%20")->path, "/v1/models/a/b");
  EXPECT_EQ(parse_target("/v1?c=%20")->query, "c=%20");
  EXPECT_EQ(parse_target("http://host/v1/models")->path, "/v1/models");
  EXPECT_EQ(parse_target("/%2e%2e/x")->path, "/../x");
  EXPECT_FALSE(parse_target("/a%00b"));
  EXPECT_FALSE(parse_target("/a%0ab"));
  EXPECT_FALSE(parse_target("/a%zz"));
  EXPECT_FALSE(parse_target("ftp://x/y"));
}

}  // namespace
}  // namespace baleen
