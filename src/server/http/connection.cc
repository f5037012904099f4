#include "server/http/connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>

#include "base/check.h"
#include "server/http/response_head.h"

namespace baleen {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr size_t kLoggedTargetBytes = 80;

// Chunk sizes and extensions ride on the wire but are not body: one byte a chunk takes six.
constexpr size_t kWireBytesPerBodyByte = 8;
constexpr size_t kChunkHeadBytes = 16 << 10;

}  // namespace

void Poster::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (io_ != nullptr) asio::post(*io_, std::move(work));
}

void Poster::stop() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
}

/// A request's share of the memory for all bodies; given back when the request is dropped, on whatever
/// thread.
class Connection::BodyLease {
 public:
  explicit BodyLease(std::shared_ptr<std::atomic<size_t>> total) : total_(std::move(total)) {}
  ~BodyLease() { total_->fetch_sub(bytes_); }
  BodyLease(const BodyLease&) = delete;
  BodyLease& operator=(const BodyLease&) = delete;

  bool grow(size_t bytes, size_t limit) {
    bytes_ += bytes;
    return total_->fetch_add(bytes) + bytes <= limit;
  }

 private:
  std::shared_ptr<std::atomic<size_t>> total_;
  size_t bytes_ = 0;
};

/// The exchange of one request. Outlives its connection where a responder holds it.
class Connection::Pending final : public Exchange {
 public:
  Pending(std::shared_ptr<Connection> connection, HttpRequest request)
      : connection_(connection), poster_(connection->shared_.poster), request_(std::move(request)) {}

  ~Pending() override {
    if (answered_ || closed_) return;
    poster_->post([connection = connection_] {
      if (const auto open = connection.lock())
        open->respond(open->shared_.responder.refuse(500, "no answer was made"));
    });
  }

  HttpRequest& request() override { return request_; }
  bool closed() const override { return closed_; }
  void on_closed(std::function<void()> closed) override { on_closed_ = std::move(closed); }
  void post(std::function<void()> work) override { poster_->post(std::move(work)); }

  void respond(HttpResponse response) override {
    CHECK(!answered_);
    answered_ = true;
    if (const auto open = connection_.lock(); open && !closed_) open->respond(response);
  }
  void start_stream(HttpResponse response) override {
    CHECK(!answered_ && response.body.empty());
    answered_ = true;
    if (const auto open = connection_.lock(); open && !closed_) open->start_stream(response);
  }
  void send(std::string_view event) override {
    if (const auto open = connection_.lock(); open && !closed_) open->send(event);
  }
  void end_stream() override {
    const auto open = connection_.lock();
    if (open && !closed_) open->end_stream();
    connection_.reset();
  }

  void client_gone() {
    closed_ = true;
    if (const auto closed = std::exchange(on_closed_, nullptr)) closed();
  }

 private:
  std::weak_ptr<Connection> connection_;
  std::shared_ptr<Poster> poster_;
  HttpRequest request_;
  std::function<void()> on_closed_;
  std::atomic<bool> closed_ = false;
  std::atomic<bool> answered_ = false;  // atomic for the destructor's thread
};

Connection::Connection(ConnectionShared& shared, asio::ip::tcp::socket socket, std::string address)
    : shared_(shared), limits_(shared.limits), socket_(std::move(socket)), address_(std::move(address)) {
  enter(Phase::head);
}

void Connection::start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  read();
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  since_ = Clock::now();
}

void Connection::check_deadlines(Clock::time_point now) {
  const auto over = [&](HttpLimits::Duration limit) { return now - since_ > limit; };
  switch (phase_) {
    case Phase::head:
      if (input_.empty() && over(limits_.idle_time)) return close();
      if (!input_.empty() && over(limits_.head_time)) return refuse({408, "the request head took too long"});
      return;
    case Phase::body:
      if (!over(limits_.body_window)) return;
      if (window_bytes_ < limits_.body_window_bytes) return refuse({408, "the request body came too slowly"});
      window_bytes_ = 0;
      since_ = now;
      return;
    case Phase::answering:
      if (writing_ && now - last_write_ > limits_.write_time) return close();
      if (streaming_ && !answer_complete_ && !writing_ && now - last_write_ > limits_.heartbeat)
        send(": keep-alive\n\n");
      return;
    case Phase::lingering:
      if (over(limits_.linger_time)) close();
      return;
    case Phase::closed:
      return;
  }
}

void Connection::stop() {
  if (phase_ == Phase::head) close();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  if (phase_ == Phase::answering) log_request(answer_complete_ ? "cut off" : "cancelled");
  enter(Phase::closed);
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (const auto pending = pending_.lock(); pending && !answer_complete_) pending->client_gone();
  shared_.on_gone(this);
}

// Reading goes on while an answer is made: that is how a client's going away is noticed.
void Connection::read() {
  const bool full = phase_ == Phase::answering && input_.size() >= limits_.head_bytes;
  if (reading_ || full || phase_ == Phase::closed) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](auto error, size_t bytes) {
    self->reading_ = false;
    self->on_read(error, bytes);
  });
}

void Connection::on_read(boost::system::error_code error, size_t bytes) {
  if (phase_ == Phase::closed) return;
  if (error) {
    // A client that only closed its sending side still reads an answer that is ready.
    if (error != asio::error::eof || phase_ != Phase::answering || !answer_complete_) return close();
    keep_alive_ = false;
    return;
  }
  if (phase_ != Phase::lingering) {
    if (phase_ == Phase::head && input_.empty()) since_ = Clock::now();
    if (phase_ == Phase::body) window_bytes_ += bytes;
    input_.append(chunk_.data(), bytes);
    process_input();
  }
  read();
}

void Connection::process_input() {
  while (true) {
    if (phase_ == Phase::head && take_head() == Progress::more_input) return;
    if (phase_ == Phase::body && take_body() == Progress::more_input) return;
    if (phase_ != Phase::head && phase_ != Phase::body) return;
  }
}

Connection::Progress Connection::take_head() {
  if (input_.empty()) return Progress::more_input;
  const size_t end = input_.find("\r\n\r\n", checked_ < 3 ? 0 : checked_ - 3);
  if (end == input_.npos || end + 4 > limits_.head_bytes) {
    const auto ok = check_partial_head(input_, checked_, limits_);
    if (!ok) refuse(ok.error());
    checked_ = input_.size();
    return Progress::more_input;
  }
  auto head = parse_request_head(std::string_view(input_).substr(0, end + 4), limits_);
  auto target = head ? parse_target(head->target) : std::unexpected(head.error());
  if (!target) {
    refuse(target.error());
    return Progress::done;
  }
  head_ = std::move(*head);
  target_ = std::move(*target);
  keep_alive_ = head_.keep_alive;
  checked_ = 0;
  if (head_.chunked || head_.content_length > 0) {
    begin_body();
    return Progress::done;
  }
  input_.erase(0, end + 4);
  dispatch();
  return Progress::done;
}

void Connection::begin_body() {
  enter(Phase::body);
  window_bytes_ = wire_bytes_ = 0;
  lease_ = std::make_shared<BodyLease>(shared_.body_bytes);
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
  parser_->body_limit(limits_.body_bytes);
  const bool waits = input_.ends_with("\r\n\r\n");
  if (head_.expects_continue && waits) enqueue("HTTP/1.1 100 Continue\r\n\r\n");
}

Connection::Progress Connection::take_body() {
  while (!parser_->is_done()) {
    beast::error_code error;
    const size_t used = parser_->put(asio::buffer(input_), error);
    input_.erase(0, used);
    wire_bytes_ += used;
    if (error == beast::http::error::body_limit || wire_bytes_ > kWireBytesPerBodyByte * limits_.body_bytes) {
      refuse({413, "the request body is too large"});
      return Progress::done;
    }
    if ((error && error != beast::http::error::need_more) || (used == 0 && input_.size() > kChunkHeadBytes)) {
      refuse({400, "the request body is malformed"});
      return Progress::done;
    }
    if (!lease_->grow(used, limits_.all_bodies_bytes)) {
      refuse({503, "too many large requests are waiting"});
      return Progress::done;
    }
    if (!parser_->is_done() && (used == 0 || input_.empty())) return Progress::more_input;
  }
  dispatch();
  return Progress::done;
}

void Connection::dispatch() {
  HttpRequest request;
  if (parser_) request.body = std::move(parser_->get().body());
  parser_.reset();
  request.method = head_.method;
  request.path = std::move(target_.path);
  request.query = std::move(target_.query);
  request.fields = std::move(head_.fields);
  request.id = request_id_ = new_request_id();
  request.lease = std::exchange(lease_, nullptr);
  enter(Phase::answering);
  streaming_ = answer_complete_ = false;
  const auto pending = std::make_shared<Pending>(shared_from_this(), std::move(request));
  pending_ = pending;
  shared_.responder.answer(pending);
}

void Connection::refuse(const HttpRefusal& refusal) {
  keep_alive_ = streaming_ = answer_complete_ = false;
  parser_.reset();
  lease_.reset();
  input_.clear();
  head_ = {};
  request_id_ = new_request_id();
  enter(Phase::answering);
  respond(shared_.responder.refuse(refusal.status, refusal.reason));
}

void Connection::respond(const HttpResponse& response) {
  if (phase_ != Phase::answering || answer_complete_) return;
  answer_complete_ = true;
  const bool no_content = response.status == 204 || response.status == 304;
  const std::string length =
      no_content ? "" : "content-length: " + std::to_string(response.body.size()) + "\r\n";
  std::string bytes = head_of(response, length);
  if (head_.method != "HEAD" && !no_content) bytes += response.body;
  enqueue(std::move(bytes));
}

void Connection::start_stream(const HttpResponse& response) {
  if (phase_ != Phase::answering) return;
  streaming_ = true;
  if (head_.old_version) keep_alive_ = false;
  enqueue(head_of(response, head_.old_version ? "" : "transfer-encoding: chunked\r\n"));
}

void Connection::send(std::string_view event) {
  if (phase_ != Phase::answering || !streaming_ || answer_complete_) return;
  enqueue(head_.old_version ? std::string(event) : chunk_of(event));
}

void Connection::end_stream() {
  if (phase_ != Phase::answering || !streaming_ || answer_complete_) return;
  answer_complete_ = true;
  if (!head_.old_version) return enqueue("0\r\n\r\n");
  if (!writing_) on_written({}, 0);
}

std::string Connection::head_of(const HttpResponse& response, std::string_view framing) {
  status_ = response.status;
  const bool stays = keep_alive_ && !shared_.stopping;
  return response_head(response, request_id_, framing, stays ? "keep-alive" : "close");
}

void Connection::enqueue(std::string bytes) {
  output_bytes_ += bytes.size();
  output_.push_back(std::move(bytes));
  if (streaming_ && output_bytes_ > limits_.stream_bytes) return close();
  if (writing_) return;
  last_write_ = Clock::now();
  write();
}

void Connection::write() {
  writing_ = true;
  const std::string& front = output_.front();
  socket_.async_write_some(asio::buffer(front.data() + written_, front.size() - written_),
                           [self = shared_from_this()](auto error, size_t bytes) {
                             self->writing_ = false;
                             self->on_written(error, bytes);
                           });
}

void Connection::on_written(boost::system::error_code error, size_t bytes) {
  if (phase_ == Phase::closed) return;
  if (error) return close();
  last_write_ = Clock::now();
  written_ += bytes;
  output_bytes_ -= bytes;
  if (!output_.empty() && written_ == output_.front().size()) {
    output_.pop_front();
    written_ = 0;
  }
  if (!output_.empty()) return write();
  if (phase_ != Phase::answering || !answer_complete_) return;
  log_request("done");
  if (keep_alive_ && !shared_.stopping) return next_request();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  input_.clear();
  enter(Phase::lingering);
  read();
}

/// The target is visible ASCII (parse_request_head) and no part of what is asked of a model.
void Connection::log_request(std::string_view outcome) const {
  const std::string_view path = std::string_view(head_.target).substr(0, head_.target.find('?'));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since_);
  spdlog::info("{} {} {} {} {} ms {}", head_.method.empty() ? "-" : head_.method,
               path.empty() ? "-" : path.substr(0, kLoggedTargetBytes), status_, outcome, took.count(),
               request_id_);
}

void Connection::next_request() {
  enter(Phase::head);
  process_input();
  read();
}

}  // namespace baleen
