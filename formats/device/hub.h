// Who is asked about what: controllers, newest outermost, and threads that have stopped. A call
// goes inwards, from the newest controller to the oldest that traces it, and its result outwards,
// through those that said `step`; a signal comes from the kernel, and so goes outwards too. No
// socket and no process is known here: messages go in and out by controller, threads are slots of
// the page.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/device/report.h"
#include "formats/device/stop.h"
#include "formats/text_filter.h"

namespace sctrace::device {

class Hub {
 public:
  // `wake`: the thread of that slot has its answer.
  Hub(wire::ControlPage& page, std::function<void(uint32_t slot)> wake);
  int connect();  // a controller; later ones are further out
  // What it said, in whatever pieces it came. False: that is no message of ours and never will be.
  bool hear(int controller, std::string_view bytes);
  void hang_up(int controller);  // its threads go on as if it had said `cont`
  void look(uint64_t now);       // at the slots: who asks, who no longer does
  void pass_time(uint64_t now);  // ns: for controllers that have a time limit
  void forget(const std::function<bool(uint32_t pid)>& is_alive);  // slots of processes that died
  void renew(uint32_t pid);  // it is another program now: what threads it had are no more
  std::string take_output(int controller);   // for it
  bool has_begun() const { return begun_; }  // somebody has said a line
  bool has_limits() const;

 private:
  struct Controller {
    CallSet traced;  // none, until it says so
    bool begun = false, signals = false, packed = false;
    uint64_t limit = 64, patience = 0;
    std::string in, out;
    std::deque<uint32_t> asked;  // slots, the oldest report first
    bool replying = false;       // what it says waits until a get or set is done
  };
  // A get or set that the thread works on, a slot full at a time. A long set reads first what it
  // may have to put back.
  struct Transfer {
    enum class Phase : uint8_t { none, reading, writing, restoring };
    Phase phase = Phase::none;
    bool get = false;
    uint32_t argument = 0;
    uint64_t address = 0, total = 0, done = 0, chunk = 0;
    std::string bytes, before, line;
  };
  struct Thread {
    bool open = false;
    wire::Stop stop = wire::Stop::entry;
    uint32_t pid = 0, tid = 0;
    read::Call call;         // as it is wished by now
    uint64_t args[6] = {};   // as the thread has it: where memory can be reached
    int asked = 0;           // the controller whose turn it is
    uint32_t asked_nr = 0;   // the call as that one was told it
    std::vector<int> steps;  // those that said step, outermost first
    bool skipped = false;
    uint32_t number = 0;
    int64_t result = 0;
    uint64_t since = 0;
    std::string info;
    Transfer transfer;
  };

  bool try_next_message(int id, Controller& self);
  void go_on_hearing(int id);
  void handle(int id, Controller& self, std::string_view message);
  void set_packed(Controller& self, bool packed);
  std::string obey(int id, Controller& self, const Command& command, std::string_view message);
  std::string set_up(Controller& self, const Command& command);
  void let_unwanted_go(Controller& self);
  std::string answer(int id, Controller& self, uint32_t slot, const Command& command);
  std::string answer_entry(int id, Controller& self, uint32_t slot, const Command& command);
  std::string answer_exit(uint32_t slot, const Command& command);
  std::string answer_signal(uint32_t slot, const Command& command);
  std::string move_memory(Controller& self, uint32_t slot, const Command& command,
                          std::string_view message);
  void look_at(uint32_t slot);
  void take(uint32_t slot);
  void take_call(Thread& thread, const wire::ControlSlot& from);
  void take_reply(uint32_t slot);
  void go_on_moving(uint32_t slot);
  void end_moving(uint32_t slot, bool good);
  void take_notice(uint32_t slot);
  int whose_turn(const Thread& thread) const;
  bool is_told_alone(const Thread& thread);
  void ask_next(uint32_t slot);
  void next(uint32_t slot);
  void conclude(uint32_t slot);
  void give(uint32_t slot, wire::Verdict verdict);
  void withdraw(uint32_t slot);
  void retract(uint32_t slot, Report::Kind why);
  void tell(Controller& self, const Report& report);
  void tell_all(const Report& report);
  void spread_wishes();

  wire::ControlPage& page_;
  std::function<void(uint32_t)> wake_;
  std::map<int, Controller> controllers_;
  std::vector<Thread> threads_;
  int next_id_ = 1;
  bool begun_ = false;
  uint64_t now_ = 0;
  uint32_t lost_ = 0;
};

}  // namespace sctrace::device
