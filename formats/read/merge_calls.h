// The records of one ring → whole calls. A thread that shares its ring (vfork) and handlers that
// interrupt a call keep their open calls apart. An entry is held back until it is known not to have
// been cancelled, which takes the next record or the end of the ring, so memory stays bounded.
#pragma once
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>
#include "formats/read/ring_reader.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

// How much captured memory may be held at once; what is beyond is cut and counted.
struct Budget {
  uint64_t per_call = uint64_t{64} << 20, all = uint64_t{1} << 30;
  uint64_t held = 0, cut = 0;
};

struct HeldCall : Call {
  explicit HeldCall(std::shared_ptr<Budget> from) : budget(std::move(from)) {}
  HeldCall(const HeldCall&) = delete;
  HeldCall& operator=(const HeldCall&) = delete;
  ~HeldCall() { budget->held -= bytes; }
  std::shared_ptr<Budget> budget;
  uint64_t bytes = 0;
};

// An Item that owns what it points at.
struct Event {
  Item::Kind kind = Item::Kind::enter;
  uint64_t when = 0;
  uint32_t pid = 0, tid = 0;
  uint64_t lost = 0;
  bool undecided = false;  // an entry that may yet turn out never to have been made
  std::shared_ptr<HeldCall> call;
  std::shared_ptr<Signal> signal;
  Thread thread;
};

// Calls that never come back: their open entry means nothing.
bool never_returns(uint32_t nr);
bool is_exec(uint32_t nr);  // nor do these, when all goes well

class CallReader {
 public:
  CallReader(std::shared_ptr<OpenImage> image, uint32_t slot, const Clock& clock,
             std::shared_ptr<Budget> budget);
  bool next(Event& event);
  void grow();    // false was not the end: the ring has come further
  void finish();  // now it is
  void settle();  // an entry that was held back is told: it seems to wait

  uint64_t gaps = 0, rolled_over = 0, lost = 0, orphans = 0, unfinished = 0;
  uint64_t missing = 0;  // blocks that are gone though no lost calls were counted for them

 private:
  struct Frame {
    std::shared_ptr<HeldCall> call;
    bool interrupted =
        false;          // a handler ran since: what it calls is nested, and this one may go on
    bool more = false;  // the last data record is continued by the next
  };
  struct Owner {  // who has calls open on this ring: its thread, and a vfork child
    uint32_t pid = 0, tid = 0;
    std::vector<Frame> open;
  };

  bool advance();
  void on_block(const Step& step);
  void on_record(const Step& step);
  void on_entry(const Step& step);
  void on_exit(const Step& step);
  void on_data(const Step& step);
  void on_signal(const Step& step);
  void on_thread(const Step& step);
  void on_file(const Step& step);
  void on_altered(const Step& step);
  void on_stack(const Step& step);
  void on_gap();
  void on_lost(uint64_t calls);
  void on_end();
  void make_room(Owner& owner);
  static void leave_handlers(std::vector<Frame>& open);
  void close(Frame& frame);
  void decide();
  bool drop(const HeldCall* call);
  Owner& owner();
  Event& push(Item::Kind kind);

  std::shared_ptr<OpenImage> image_;
  uint32_t slot_;
  const Clock& clock_;
  std::shared_ptr<Budget> budget_;
  RingReader reader_;
  std::deque<Event> events_;
  std::vector<Owner> owners_;
  std::unordered_map<uint32_t, std::shared_ptr<const Stack>> stacks_;  // told in this block
  uint32_t pid_ = 0, tid_ = 0;
  uint64_t at_ = 0;       // of the record at hand, as its stamp says
  uint64_t now_ = 0;      // the same for the order of time: never runs backwards within a ring
  uint64_t counted_ = 0;  // lost calls told so far
  bool gap_ = false, ended_ = false, grows_ = false;
  uint64_t gap_blocks_ = 0;
};

}  // namespace sctrace::read
