#include "server/http/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/http/connection.h"
#include "server/http/response_head.h"

namespace baleen {

namespace asio = boost::asio;
using asio::ip::tcp;

struct HttpServer::State {
  explicit State(const HttpLimits& l) : limits(l) {}

  void accept();
  void take(tcp::socket socket);
  bool make_room(const std::string* address);
  void turn_away(tcp::socket& socket);
  void tick();
  void check_deadlines();
  void gone(Connection* connection);

  HttpLimits limits;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer timer{io};
  std::shared_ptr<Poster> poster = std::make_shared<Poster>(io);
  std::optional<ConnectionShared> shared;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections;
  std::unordered_map<std::string, size_t> per_address;
  uint16_t port = 0;
  bool accepting = false;  // false after an error such as too many open files, until the next tick
  std::thread thread;

  std::mutex mutex;
  std::condition_variable all_gone;
  size_t open = 0;  // connections.size(), for other threads
};

void HttpServer::State::accept() {
  accepting = true;
  acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
    accepting = false;
    if (error || shared->stopping) return;
    take(std::move(socket));
    accept();
  });
}

void HttpServer::State::take(tcp::socket socket) {
  boost::system::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  const std::string address = peer.address().to_string();
  const auto same = per_address.find(address);
  const bool too_many_here = same != per_address.end() && same->second >= limits.connections_per_address;
  if ((too_many_here && !make_room(&address)) ||
      (connections.size() >= limits.connections && !make_room(nullptr))) {
    return turn_away(socket);
  }
  ++per_address[address];
  const auto connection = std::make_shared<Connection>(*shared, std::move(socket), address);
  connections.emplace(connection.get(), connection);
  {
    const std::lock_guard lock(mutex);
    open = connections.size();
  }
  connection->start();
}

/// As much of an answer as can be had without waiting.
void HttpServer::State::turn_away(tcp::socket& socket) {
  const HttpResponse response = shared->responder.refuse(503, "there are too many connections");
  const std::string length = fmt::format("content-length: {}\r\n", response.body.size());
  const std::string bytes = response_head(response, new_request_id(), length, "close") + response.body;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(bytes), ignored);
}

/// Closes the connection that has waited longest for a request, of one address if given.
bool HttpServer::State::make_room(const std::string* address) {
  std::shared_ptr<Connection> oldest;
  for (const auto& [key, connection] : connections) {
    if (!connection->is_idle() || (address != nullptr && connection->address() != *address)) continue;
    if (oldest == nullptr || connection->since() < oldest->since()) oldest = connection;
  }
  if (oldest == nullptr) return false;
  oldest->close();
  return true;
}

void HttpServer::State::tick() {
  timer.expires_after(limits.tick);
  timer.async_wait([this](boost::system::error_code error) {
    if (error) return;
    // Behind what has come from the network meanwhile: a client is not slow because this process was held up.
    asio::post(io, [this] { check_deadlines(); });
  });
}

void HttpServer::State::check_deadlines() {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections.size());
  for (const auto& [key, connection] : connections) all.push_back(connection);
  const auto now = Connection::Clock::now();
  for (const auto& connection : all) connection->check_deadlines(now);
  if (!accepting && !shared->stopping) accept();
  tick();
}

void HttpServer::State::gone(Connection* connection) {
  const auto count = per_address.find(connection->address());
  if (--count->second == 0) per_address.erase(count);
  connections.erase(connection);
  const std::lock_guard lock(mutex);
  open = connections.size();
  if (open == 0) all_gone.notify_all();
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { finish(HttpLimits::Duration(0)); }

Result<std::unique_ptr<HttpServer>> HttpServer::bind(const std::string& host, uint16_t port,
                                                     const HttpLimits& limits) {
  auto state = std::make_unique<State>(limits);
  boost::system::error_code error;
  const auto found =
      tcp::resolver(state->io).resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty())
    return failed(fmt::format("cannot resolve the address {}: {}", host, error.message()));
  const tcp::endpoint endpoint = found.begin()->endpoint();
  state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (error == asio::error::address_in_use)
    return failed(
        fmt::format("port {} of {} is in use: stop the other program or choose another --port", port, host));
  if (error) return failed(fmt::format("cannot listen on {}:{}: {}", host, port, error.message()));
  state->port = state->acceptor.local_endpoint(error).port();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

uint16_t HttpServer::port() const { return state_->port; }

Result<void> HttpServer::start(Responder& responder) {
  State& state = *state_;
  boost::system::error_code error;
  state.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(fmt::format("cannot listen on port {}: {}", port(), error.message()));
  state.shared.emplace(
      ConnectionShared{.limits = state.limits,
                       .responder = responder,
                       .on_gone = [&state](Connection* connection) { state.gone(connection); },
                       .poster = state.poster});
  state.accept();
  state.tick();
  state.thread = std::thread([&state] { state.io.run(); });
  return {};
}

void HttpServer::stop_accepting() {
  state_->poster->post([this] {
    State& state = *state_;
    if (!state.shared || state.shared->stopping) return;
    state.shared->stopping = true;
    boost::system::error_code ignored;
    state.acceptor.close(ignored);
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [key, connection] : state.connections) all.push_back(connection);
    for (const auto& connection : all) connection->stop();
  });
}

void HttpServer::finish(HttpLimits::Duration at_most) {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  stop_accepting();
  {
    std::unique_lock lock(state.mutex);
    state.all_gone.wait_for(lock, at_most, [&] { return state.open == 0; });
  }
  state.poster->post([&state] {
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [key, connection] : state.connections) all.push_back(connection);
    for (const auto& connection : all) connection->close();
    state.io.stop();
  });
  state.thread.join();
  state.poster->stop();
  state.io.restart();
  state.io.poll();  // what was posted meanwhile finds its client gone and lets go
}

}  // namespace baleen
