#include "formats/cli/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace sctrace::cli {

namespace {

constexpr size_t most_connections = 64;
constexpr int64_t patience = 20'000;  // ms without a byte, in either direction

int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

const char* reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    default: return "Internal Server Error";
  }
}

// Nothing but this page may use the answer, and nobody may keep it or guess at its type.
std::string head_of(const Answer& answer) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n"
      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n",
      answer.status, reason(answer.status), answer.type, answer.body.size());
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  return head + "\r\n";
}

struct Addresses {
  Addresses(const std::string& address, uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    const std::string name = address == "localhost" ? "127.0.0.1" : address;
    if (::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &first) != 0)
      throw std::runtime_error(address + ": no numeric address");
  }
  ~Addresses() { ::freeaddrinfo(first); }
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
  addrinfo* first = nullptr;
};

bool is_loopback(const sockaddr* name) {
  if (name->sa_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(name)->sin6_addr);
  constexpr uint32_t net = 127;
  return ntohl(reinterpret_cast<const sockaddr_in*>(name)->sin_addr.s_addr) >> 24 == net;
}

}  // namespace

Answer refusal(int status, const std::string& why) {
  return {.status = status, .body = why + "\n"};
}

HttpServer::HttpServer(const std::string& address, uint16_t port) {
  const Addresses all(address, port);
  const addrinfo& one = *all.first;
  loopback_ = cli::is_loopback(one.ai_addr);
  const auto failed = [&] {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    throw std::runtime_error(fmt::format("{}, port {}: {}", address, port, std::strerror(error)));
  };
  fd_ = ::socket(one.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) failed();
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd_, one.ai_addr, one.ai_addrlen) != 0 || ::listen(fd_, 16) != 0) failed();
  sockaddr_storage name{};
  socklen_t bytes = sizeof name;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &bytes) != 0) failed();
  port_ = ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(name).sin_port);
}

HttpServer::~HttpServer() {
  for (const Connection& one : connections_) ::close(one.fd);
  ::close(fd_);
}

void HttpServer::accept_one() {
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (connections_.size() == most_connections) {  // the one that has waited longest gives way
    ::close(connections_.front().fd);
    connections_.pop_front();
  }
  connections_.push_back({.fd = fd, .in = {}, .out = {}, .sent = 0, .until = now() + patience});
}

// Reads or writes what there is; false: done with it.
bool HttpServer::serve(Connection& one, const std::function<Answer(const Request&)>& answer) {
  constexpr size_t most_asked = 16384;
  char bytes[4096];
  const auto later = [] { return errno == EAGAIN || errno == EINTR; };
  while (one.out.empty()) {
    const ssize_t n = ::recv(one.fd, bytes, sizeof bytes, 0);
    if (n == 0 || (n < 0 && !later())) return false;
    if (n < 0) return true;
    one.in.append(bytes, static_cast<size_t>(n));
    one.until = now() + patience;
    const size_t end = one.in.find("\r\n\r\n");
    if (end == one.in.npos && one.in.size() <= most_asked) continue;
    Asked asked;
    if (end == one.in.npos || end > most_asked)
      asked.refused = refusal(400, "a request of more than 16384 bytes");
    else
      asked = parse_request(std::string_view(one.in).substr(0, end + 2));
    const Answer answered = asked.refused.status ? asked.refused : answer(asked.request);
    one.out = head_of(answered);
    if (!asked.request.head) one.out += answered.body;
    one.until = now() + patience;
  }
  while (one.sent < one.out.size()) {
    const ssize_t n =
        ::send(one.fd, one.out.data() + one.sent, one.out.size() - one.sent, MSG_NOSIGNAL);
    if (n < 0) return later();
    one.sent += static_cast<size_t>(n);
    one.until = now() + patience;
  }
  // What the client still sends would make the kernel throw our answer away: let it come in.
  ::shutdown(one.fd, SHUT_WR);
  while (::recv(one.fd, bytes, sizeof bytes, 0) > 0) continue;
  return false;
}

void HttpServer::run(const std::function<Answer(const Request&)>& answer,
                     const std::function<bool()>& over) {
  std::vector<pollfd> wait;
  while (!over()) {
    wait.assign(1, {.fd = fd_, .events = POLLIN, .revents = 0});
    for (const Connection& one : connections_) {
      const short events = one.out.empty() ? POLLIN : POLLOUT;
      wait.push_back({.fd = one.fd, .events = events, .revents = 0});
    }
    if (::poll(wait.data(), wait.size(), 500) < 0) continue;
    size_t n = 1;
    for (auto one = connections_.begin(); one != connections_.end(); ++n) {
      const bool ready = wait[n].revents != 0;
      const bool stays = ready ? serve(*one, answer) : now() < one->until;
      if (!stays) ::close(one->fd);
      one = stays ? std::next(one) : connections_.erase(one);
    }
    if (wait[0].revents) accept_one();
  }
}

}  // namespace sctrace::cli
