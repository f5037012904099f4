// A TCP client that sends exactly the bytes it is told to.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace baleen {

class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// What comes until the server closes, `until` has come, or the time is over.
  std::string read(std::string_view until = {}, int milliseconds = 10'000) {
    std::string all;
    while (until.empty() || all.find(until) == all.npos) {
      const std::string piece = read_once(milliseconds);
      if (piece.empty()) break;
      all += piece;
    }
    return all;
  }

  /// One recv(); empty once the server has closed or the time is over.
  std::string read_once(int milliseconds = 10'000) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, milliseconds) <= 0) return {};
    std::string piece(65536, '\0');
    const ssize_t count = ::recv(socket_, piece.data(), piece.size(), 0);
    closed_ = count <= 0;
    piece.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return piece;
  }

  /// The server has closed its side (seen by the last read).
  bool closed() const { return closed_; }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  /// Closes with RST instead of FIN.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

 private:
  int socket_;
  bool connected_ = false, closed_ = false;
};

/// 0 where the text does not start with a status line.
inline int status_of(std::string_view response) {
  if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return 0;
  return std::stoi(std::string(response.substr(9, 3)));
}

}  // namespace baleen
