// HTTP/1.1 as much as a browser, curl and a scraping Prometheus need of it: GET and HEAD, one
// answer a connection, all in one thread. (Debian's cpp-httplib would do, but brings OpenSSL and
// brotli into the start of every verb: 5.6 ms of it instead of 2.4.)
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

namespace sctrace::cli {

struct Request {
  std::string path;                            // decoded, from / on
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in small letters
  bool head = false;                           // only the head of the answer is wanted
};

struct Answer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8", body = {};
  std::map<std::string, std::string> headers = {};
};
// One line of text.
Answer refusal(int status, const std::string& why);

// `text`: up to the empty line. What it asks for, or why it can't be answered (status not 0).
struct Asked {
  Request request = {};
  Answer refused = {.status = 0, .type = {}};
};
Asked parse_request(std::string_view text);

class HttpServer {
 public:
  // A numeric address; port 0: any. Throws std::runtime_error with what is wrong.
  HttpServer(const std::string& address, uint16_t port);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  uint16_t port() const { return port_; }
  bool is_loopback() const { return loopback_; }

  // Until `over`, which is asked again whenever a signal came in, and each half second.
  void run(const std::function<Answer(const Request&)>& answer, const std::function<bool()>& over);

 private:
  struct Connection {
    int fd = -1;
    std::string in, out;
    size_t sent = 0;
    int64_t until = 0;  // ms: then it is closed
  };
  void accept_one();
  bool serve(Connection& one, const std::function<Answer(const Request&)>& answer);

  int fd_ = -1;
  uint16_t port_ = 0;
  bool loopback_ = false;
  std::list<Connection> connections_;
};

}  // namespace sctrace::cli
