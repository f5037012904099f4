#include "server/http/http_server.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "server/raw_client.h"

namespace baleen {
namespace {

using std::chrono::milliseconds;

/// Answers by path; "/wait" never, "/drop" drops the exchange.
class TestResponder final : public Responder {
 public:
  void answer(std::shared_ptr<Exchange> exchange) override {
    const std::string path = exchange->request().path;
    if (path == "/drop") return;
    if (path == "/wait") {
      exchange->on_closed([this] { ++closed; });
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(exchange));
      return;
    }
    if (path == "/stream") return stream(*exchange, 3, 20);
    if (path == "/flood") return stream(*exchange, 4096, 16384);
    if (path == "/silent") {
      exchange->start_stream({.content_type = "text/event-stream"});
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(exchange));
      return;
    }
    const HttpRequest& request = exchange->request();
    exchange->respond(
        {.content_type = "text/plain", .body = request.method + " " + path + " " + request.body});
  }

  HttpResponse refuse(int status, std::string_view reason) override {
    return {.status = status, .content_type = "text/plain", .body = std::string(reason)};
  }

  void release() {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }

  std::atomic<int> closed = 0;

 private:
  void stream(Exchange& exchange, int events, size_t bytes) {
    exchange.on_closed([this] { ++closed; });
    exchange.start_stream({.content_type = "text/event-stream"});
    for (int i = 0; i < events; ++i) exchange.send("data: " + std::string(bytes, 'a') + "\n\n");
    exchange.end_stream();
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<Exchange>> waiting_;
};

HttpLimits short_limits() {
  HttpLimits limits;
  limits.head_time = limits.idle_time = limits.body_window = limits.write_time = milliseconds(400);
  limits.linger_time = limits.heartbeat = milliseconds(200);
  limits.tick = milliseconds(20);
  return limits;
}

class HttpServerTest : public testing::Test {
 protected:
  void start(const HttpLimits& limits) {
    auto server = HttpServer::bind("127.0.0.1", 0, limits);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    ASSERT_TRUE(server_->start(responder_));
  }
  void SetUp() override { start(HttpLimits{}); }
  void TearDown() override {
    if (server_) server_->finish(milliseconds(0));
    responder_.release();
  }

  /// Sends and reads until the server closes.
  std::string ask(std::string_view bytes) {
    RawClient client(server_->port());
    client.send(bytes);
    return client.read();
  }

  template <class Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
    return condition();
  }

  TestResponder responder_;
  std::unique_ptr<HttpServer> server_;
};

const std::string kPost = "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

TEST_F(HttpServerTest, AnswersAndKeepsAlive) {
  RawClient client(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read("GET /a"), testing::AllOf(testing::HasSubstr("connection: keep-alive"),
                                                    testing::HasSubstr("x-request-id: req_")));
  client.send("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read(), testing::HasSubstr("GET /b"));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
  const std::string answers = ask(requests + "GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("POST /" + std::to_string(i) + " hi", at);
    ASSERT_NE(at, answers.npos) << i;
  }
  EXPECT_NE(answers.find("GET /end", at), answers.npos);
}

TEST_F(HttpServerTest, TakesBodiesByLengthAndInChunks) {
  EXPECT_THAT(ask(kPost + "Content-Length: 5\r\n\r\nhello"), testing::HasSubstr("POST /x hello"));
  EXPECT_THAT(ask(kChunked + "3;ext=1\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: a\r\n\r\n"),
              testing::HasSubstr("POST /x hello"));
  RawClient client(server_->port());
  for (const char c : kChunked + "5\r\nhello\r\n0\r\n\r\n") client.send(std::string_view(&c, 1));
  EXPECT_THAT(client.read(), testing::HasSubstr("POST /x hello"));
}

TEST_F(HttpServerTest, RefusesMalformedFraming) {
  const std::string big_chunks = [] {
    std::string body;
    for (int i = 0; i < 9; ++i) body += "100000\r\n" + std::string(0x100000, 'a') + "\r\n";
    return body + "0\r\n\r\n";
  }();
  const std::vector<std::pair<std::string, int>> cases = {
      {kChunked + "-2\r\nhello\r\n0\r\n\r\n", 400},
      {kChunked + "0x5\r\nhello\r\n0\r\n\r\n", 400},
      {kChunked + "11111111111111111\r\nhello\r\n0\r\n\r\n", 400},
      {kChunked + "5\nhello\r\n0\r\n\r\n", 400},
      {kChunked + "5\r\nhelloX\r\n0\r\n\r\n", 400},
      {kChunked + "5;" + std::string(1 << 20, 'e') + "\r\nhello\r\n0\r\n\r\n", 400},
      {kChunked + "zz\r\n", 400},
      {kChunked + big_chunks, 413},
      {kPost + "Content-Length: 9000000\r\n\r\n", 413},
      {kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET /" + std::string(40'000, 'a'), 431},
  };
  for (const auto& [bytes, status] : cases) EXPECT_EQ(status_of(ask(bytes)), status) << bytes.substr(0, 120);
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200)
      << "neighbours live on";
}

// What follows a refused request must never be read as another one.
TEST_F(HttpServerTest, SmugglesNothingBehindARefusedRequest) {
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& bytes :
       {kPost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        kPost + "Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + hidden, kChunked + "0x0\r\n\r\n" + hidden,
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n" + hidden}) {
    const std::string answer = ask(bytes);
    EXPECT_EQ(status_of(answer), 400);
    EXPECT_THAT(answer, testing::Not(testing::HasSubstr("hidden")));
  }
}

TEST_F(HttpServerTest, HeadHasNoBodyAndContinueIsSaid) {
  const std::string head = ask("HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, testing::HasSubstr("content-length: 10"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  RawClient client(server_->port());
  client.send(kPost + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(client.read("\r\n\r\n"), testing::StartsWith("HTTP/1.1 100 Continue"));
  client.send("hello");
  EXPECT_THAT(client.read(), testing::HasSubstr("POST /x hello"));
}

TEST_F(HttpServerTest, StreamsEventsInChunksOrUntilTheEnd) {
  const std::string chunked = ask("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(chunked, testing::HasSubstr("1c\r\ndata: aaaaaaaaaaaaaaaaaaaa\n\n\r\n"));
  EXPECT_TRUE(chunked.ends_with("\r\n0\r\n\r\n"));
  const std::string old = ask("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends_with("\r\n\r\n" + std::string("data: aaaaaaaaaaaaaaaaaaaa\n\n") +
                            "data: aaaaaaaaaaaaaaaaaaaa\n\ndata: aaaaaaaaaaaaaaaaaaaa\n\n"));
}

TEST_F(HttpServerTest, NoticesClientsThatGo) {
  const std::string wait = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
  RawClient leaves(server_->port()), resets(server_->port()), stops(server_->port());
  for (RawClient* client : {&leaves, &resets, &stops}) client->send(wait);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(responder_.closed, 0);
  leaves.close();
  resets.reset();
  stops.finish_sending();
  EXPECT_TRUE(soon([&] { return responder_.closed == 3; })) << responder_.closed;
}

TEST_F(HttpServerTest, AnswersAClientThatOnlyStopsSending) {
  RawClient client(server_->port());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  client.finish_sending();
  EXPECT_THAT(client.read(), testing::HasSubstr("GET /a"));
}

TEST_F(HttpServerTest, CancelsAStreamThatIsNotRead) {
  RawClient client(server_->port());
  client.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(soon([&] { return responder_.closed == 1; }));
}

TEST_F(HttpServerTest, AnswersADroppedExchange) {
  EXPECT_EQ(status_of(ask("GET /drop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 500);
}

class ShortLimitsTest : public HttpServerTest {
 protected:
  void SetUp() override { start(short_limits()); }
};

TEST_F(ShortLimitsTest, SlowClientsAreClosed) {
  RawClient idle(server_->port()), slow_head(server_->port()), slow_body(server_->port());
  slow_head.send("GET / HTT");
  slow_body.send(kPost + "Content-Length: 100000\r\n\r\nabc");
  EXPECT_EQ(idle.read(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(status_of(slow_head.read()), 408);
  EXPECT_TRUE(slow_head.closed());
  EXPECT_EQ(status_of(slow_body.read()), 408);
  EXPECT_TRUE(slow_body.closed());
}

TEST_F(ShortLimitsTest, DribblingKeepsNoHeadOpen) {
  RawClient client(server_->port());
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\n");
  while (client.send("a: b\r\n") && client.read_once(50).empty() && !client.closed())
    ASSERT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5000));
}

TEST_F(ShortLimitsTest, RefusedClientsAreClosedThoughTheySendOn) {
  RawClient client(server_->port());
  client.send(kPost + "Content-Length: 9000000\r\n\r\n");
  const auto begin = std::chrono::steady_clock::now();
  while (client.send(std::string(1000, 'a'))) {
    ASSERT_LT(std::chrono::steady_clock::now() - begin, milliseconds(5000));
    std::this_thread::sleep_for(milliseconds(5));
  }
}

TEST_F(ShortLimitsTest, SilentStreamsGetComments) {
  RawClient client(server_->port());
  client.send("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read(": keep-alive\n\n"), testing::HasSubstr(": keep-alive\n\n"));
}

TEST_F(HttpServerTest, IdleConnectionsMakeRoom) {
  server_->finish(milliseconds(0));
  HttpLimits limits;
  limits.connections = 4;
  start(limits);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(std::make_unique<RawClient>(server_->port()));
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
}

TEST_F(HttpServerTest, BusyConnectionsDoNot) {
  server_->finish(milliseconds(0));
  HttpLimits limits;
  limits.connections_per_address = 2;
  start(limits);
  RawClient first(server_->port()), second(server_->port());
  for (RawClient* client : {&first, &second}) client->send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(100));
  RawClient third(server_->port());
  EXPECT_EQ(status_of(third.read()), 503);
  first.close();
  EXPECT_TRUE(soon([&] { return responder_.closed == 1; }));
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), 200);
}

TEST_F(HttpServerTest, MemoryForBodiesIsBounded) {
  server_->finish(milliseconds(0));
  HttpLimits limits;
  limits.all_bodies_bytes = 100'000;
  start(limits);
  const auto body = [](size_t bytes) {
    return kPost + "Content-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'a');
  };
  EXPECT_EQ(status_of(ask(body(90'000))), 200);
  EXPECT_EQ(status_of(ask(body(110'000))), 503);
  EXPECT_EQ(status_of(ask(body(90'000))), 200);
}

TEST_F(HttpServerTest, FinishesWhatRunsAndStops) {
  RawClient idle(server_->port()), waiting(server_->port());
  waiting.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(100));
  server_->stop_accepting();
  EXPECT_EQ(idle.read(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(server_->port()).connected());
  responder_.release();
  EXPECT_EQ(status_of(waiting.read()), 500);
  EXPECT_TRUE(waiting.closed());
  server_->finish(milliseconds(5000));
}

TEST_F(HttpServerTest, SaysWhenThePortIsInUse) {
  const auto second = HttpServer::bind("127.0.0.1", server_->port(), HttpLimits{});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr("is in use"));
}

}  // namespace
}  // namespace baleen
