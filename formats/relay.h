// Between the feed and a sink: hands over what happened in batches, to another thread, so that
// reading and writing each have a processor. The order is kept; what the sink throws comes out of
// the next call here, or of end().
#pragma once
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "formats/format.h"

namespace sctrace {

class Relay {
 public:
  struct Entered {
    Event event;
  };
  struct Left {
    Event event;
  };
  using Telling = std::variant<Entered, Left, Arrival, Birth, Naming, Death, Loss>;

  // Without a thread of its own, each is told at once.
  Relay(Sink& to, bool beside);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // `bytes`: what it holds, roughly. A batch is sent at 256 tellings or 1 MiB; four may wait.
  void tell(Telling telling, size_t bytes = 0);
  void end(const Losses& losses);

 private:
  using Batch = std::vector<Telling>;
  void send();
  void work();
  static void pass(Sink& to, const Telling& telling);

  Sink& to_;
  Batch filling_;
  size_t bytes_ = 0;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<Batch> waiting_, empty_;
  std::exception_ptr failed_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace sctrace
