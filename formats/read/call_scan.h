// The records of one ring → how its calls went, and nothing of what they were about: no memory, no
// arguments, no order among threads. The same calls come out as out of CallReader, by the same
// rules, at a tenth of its cost; scan_test holds one against the other on traces of all kinds.
//
// A Listener is told of a ring, in its order:
//   entered(nr, pid, began, when)    a call was made, and not taken back
//   ending(nr, pid, began, when)     one that nobody wanted, and that ends its thread or process
//   left(nr, pid, result, ns, when)  it came back
//   began(record, when)              a thread, or a program
//   happened(pid, when)              whatever the timeline would tell, these three too
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>

#include "formats/read/open_calls.h"
#include "formats/read/ring_losses.h"
#include "formats/read/ring_reader.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

inline constexpr uint64_t scan_window = 256 << 10;  // bytes at a time; fits L2 beside the counters

template <class Listener>
class CallScan {
 public:
  CallScan(std::shared_ptr<OpenImage> image, uint32_t slot, const Clock& clock, Listener& listener)
      : image_(std::move(image)),
        slot_(slot),
        clock_(clock),
        tell_(listener),
        reader_(image_, slot) {
    reader_.read_ahead(scan_window);
  }
  void run();

  uint64_t unfinished() const { return calls_.unfinished; }
  RingLosses losses;
  uint64_t orphans = 0;
  // Most captured memory that a reader of whole calls would have held, of one call and of all that
  // were open. Beyond its budget it would have cut some, which nobody here can tell.
  uint64_t heaviest = 0, held_most = 0;

 private:
  struct Frame {
    uint32_t number = 0;  // of the call
    uint64_t began = 0, place = 0;
    uint64_t bytes = 0;
    bool interrupted = false;
    bool left_out = false;
    uint32_t nr() const { return number; }
  };

  void on_record(const wire::Header& header, const uint8_t* bytes, uint64_t tsc);
  void on_entry(const wire::Header& header, const uint8_t* bytes);
  void on_exit(const wire::Header& header, const uint8_t* bytes);
  void on_memory(uint64_t bytes);
  void on_signal();
  void on_thread(const uint8_t* bytes);
  void on_block(const Step& step);
  void tell_lost(uint64_t so_far);
  void on_lost(uint64_t calls);
  void on_end();
  void decide();
  bool drop(uint64_t place);

  std::shared_ptr<OpenImage> image_;
  uint32_t slot_;
  const Clock& clock_;
  Listener& tell_;
  RingReader reader_;
  OpenCalls<Frame> calls_;
  // What CallReader holds back until the record that follows: an entry or the birth of a thread,
  // and the signals behind it.
  enum class Held : uint8_t { nothing, entry, thread } held_ = Held::nothing;
  size_t queued_ = 0;  // it and what is behind it
  Frame entry_;        // the entry that is held
  uint64_t entry_when_ = 0, behind_first_ = 0, behind_last_ = 0;
  uint32_t entry_pid_ = 0, behind_pid_ = 0;
  uint64_t places_ = 0;  // entries so far, to tell them apart
  uint64_t bytes_ = 0;
  uint32_t pid_ = 0, tid_ = 0;
  uint64_t at_ = 0, now_ = 0;
};

template <class Listener>
void CallScan<Listener>::run() {
  for (;;) {
    reader_.walk([this](const wire::Header& header, const uint8_t* bytes, uint64_t tsc) {
      on_record(header, bytes, tsc);
    });
    const Step step = reader_.next();
    switch (step.kind) {
      case Step::Kind::block: on_block(step); break;
      case Step::Kind::record: {
        wire::Header header;
        std::memcpy(&header, step.bytes.data(), sizeof header);
        on_record(header, step.bytes.data(), step.tsc);
        break;
      }
      case Step::Kind::gap:
        losses.gap(step.missing, step.rolled);
        decide();
        calls_.forget();
        bytes_ = 0;
        break;
      case Step::Kind::end: on_end(); return;
    }
  }
}

template <class Listener>
void CallScan<Listener>::on_record(const wire::Header& header, const uint8_t* bytes, uint64_t tsc) {
  // Happen with what is around them.
  if (header.type == wire::Type::data || header.type == wire::Type::stack) {
    if (header.type == wire::Type::data) on_memory(sizeof(Piece) + header.units * 8u);
    return;
  }
  at_ = clock_.ns(tsc);
  now_ = std::max(now_, at_);
  switch (header.type) {
    case wire::Type::entry: return on_entry(header, bytes);
    case wire::Type::exit: return on_exit(header, bytes);
    case wire::Type::thread: return on_thread(bytes);
    case wire::Type::signal: return on_signal();
    case wire::Type::file: return on_memory(sizeof(OpenFile) + header.units * 8u);
    case wire::Type::lost: {
      wire::Lost record;
      std::memcpy(static_cast<void*>(&record), bytes, sizeof record);
      return on_lost(record.calls);
    }
    case wire::Type::pad:
    case wire::Type::time:
    case wire::Type::altered:
    case wire::Type::data:
    case wire::Type::stack: return;
  }
}

}  // namespace sctrace::read

#include "formats/read/call_scan_steps.h"
