// Takes full blocks out of the rings of running programs and writes them to the data files, so that
// their threads need not (formats/wire/ring.h says how the two agree). Nobody is woken for it: it
// comes by. Everything that it maps may be cut off by somebody: it runs in a process of its own.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/read/trace.h"
#include "formats/rotation.h"
#include "formats/wire/session.h"

namespace sctrace {

// The block that a drainer is at, in memory that outlives its process: killed between the two steps
// of moving one, it has said neither that the block is taken nor that it is not.
struct Moving {
  enum class State : uint32_t { none, writing, written };
  std::atomic<State> state;
  uint32_t slot;
  uint64_t from, place;  // byte positions: of the block in its ring, in the data file
  char ring_file[4096];
};

class Drainer {
 public:
  Drainer(std::string directory, Moving& moving);
  ~Drainer();
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

  // One round over all rings; how many blocks it took. Says to their threads that we are there.
  uint64_t look();

  // Ends what another one, killed meanwhile, has begun with `moving`.
  void finish();

 private:
  class Rings;
  bool look_for_session();
  void look_for_images();
  std::string directory_;
  Moving& moving_;
  wire::Session* session_ = nullptr;
  std::vector<std::string> known_;
  std::vector<std::unique_ptr<Rings>> images_;
  unsigned rounds_ = 0;
};

// Do its programs leave it to readers what becomes of their records (SCTRACE_MODE=discard, block)?
bool needs_reader(const read::Trace& trace);

// Goes on in a child process until this object is gone, or who made it. With `rotation`, it also
// cuts the trace into parts.
class DrainingChild {
 public:
  explicit DrainingChild(const std::string& directory, Rotation* rotation = nullptr);
  ~DrainingChild();
  DrainingChild(const DrainingChild&) = delete;
  DrainingChild& operator=(const DrainingChild&) = delete;

 private:
  void finish();
  std::string directory_;
  Moving* moving_ = nullptr;
  int child_ = -1, end_ = -1;
};

}  // namespace sctrace
