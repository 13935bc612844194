// The hub's sockets and shared page: controllers and traced programs that connect, and the threads
// that stop.
#pragma once
#include <functional>
#include <memory>
#include <string>

namespace sctrace::device {

class Server {
 public:
  // Makes the page and listens on `path`. Throws std::runtime_error with what is in the way.
  explicit Server(const std::string& path);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until `is_over`, which is asked now and then, or `wakes` becomes readable.
  // `begun` is called once, when a controller has said its first line.
  void run(int wakes, const std::function<bool()>& is_over, const std::function<void()>& begun);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sctrace::device
