// One client's connection: reads requests one after another, writes their answers, keeps every deadline.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/http/exchange.h"
#include "server/http/limits.h"
#include "server/http/request_head.h"

namespace baleen {

class Connection;

/// Hands work to the transport's thread for as long as that runs; any thread.
class Poster {
 public:
  explicit Poster(boost::asio::io_context& io) : io_(&io) {}
  void post(std::function<void()> work);
  void stop();  ///< what is posted later is dropped

 private:
  std::mutex mutex_;
  boost::asio::io_context* io_;
};

/// What connections share; owned by the server.
struct ConnectionShared {
  const HttpLimits& limits;
  Responder& responder;
  std::function<void(Connection*)> on_gone;
  std::shared_ptr<Poster> poster;
  std::shared_ptr<std::atomic<size_t>> body_bytes = std::make_shared<std::atomic<size_t>>(0);
  bool stopping = false;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(ConnectionShared& shared, boost::asio::ip::tcp::socket socket, std::string address);

  void start();
  /// Called every HttpLimits::tick.
  void check_deadlines(Clock::time_point now);
  /// Closes at once where no request is being read or answered, else after the answer.
  void stop();
  void close();
  bool is_idle() const { return phase_ == Phase::head; }
  Clock::time_point since() const { return since_; }
  const std::string& address() const { return address_; }

 private:
  class Pending;
  class BodyLease;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  /// head: of the next request (idle until its first byte); lingering: the answer is out, the client may read
  /// it.
  enum class Phase { head, body, answering, lingering, closed };
  enum class Progress { more_input, done };

  void read();
  void on_read(boost::system::error_code error, size_t bytes);
  void process_input();
  Progress take_head();
  void begin_body();
  Progress take_body();
  void dispatch();
  void refuse(const HttpRefusal& refusal);

  void respond(const HttpResponse& response);
  void start_stream(const HttpResponse& response);
  void send(std::string_view event);
  void end_stream();
  void next_request();

  std::string head_of(const HttpResponse& response, std::string_view framing);
  void log_request(std::string_view outcome) const;
  void enqueue(std::string bytes);
  void write();
  void on_written(boost::system::error_code error, size_t bytes);
  void enter(Phase phase);

  ConnectionShared& shared_;
  const HttpLimits& limits_;
  boost::asio::ip::tcp::socket socket_;
  std::string address_;

  Phase phase_ = Phase::head;
  Clock::time_point since_;  // when the phase began; head: its first byte; body: the rate window
  bool reading_ = false, keep_alive_ = false, streaming_ = false, answer_complete_ = false;

  std::array<char, 16384> chunk_;
  std::string input_;   // read and not yet used
  size_t checked_ = 0;  // bytes of an incomplete head that have been looked at
  RequestHead head_;
  Target target_;
  std::optional<Parser> parser_;  // of the body
  size_t wire_bytes_ = 0, window_bytes_ = 0;
  std::shared_ptr<BodyLease> lease_;
  std::string request_id_;
  int status_ = 0;  // of the answer
  std::weak_ptr<Pending> pending_;

  std::deque<std::string> output_;
  size_t output_bytes_ = 0, written_ = 0;  // written_: of the first
  Clock::time_point last_write_;
  bool writing_ = false;
};

}  // namespace baleen
