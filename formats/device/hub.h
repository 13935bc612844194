// Who is asked about what: controllers, newest outermost, and threads that have stopped. A call
// goes inwards, from the newest controller to the oldest that traces it, and its result outwards,
// through those that said `step`. No socket and no process is known here: lines go in and out by
// controller, threads are slots of the page.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/device/stop.h"
#include "formats/text_filter.h"

namespace sctrace::device {

class Hub {
 public:
  // `wake`: the thread of that slot has its answer.
  Hub(wire::ControlPage& page, std::function<void(uint32_t slot)> wake);
  int connect();  // a controller; later ones are further out
  void say(int controller, std::string_view line);
  void hang_up(int controller);  // its threads go on as if it had said `cont`
  void look(uint64_t now);       // at the slots: who asks, who no longer does
  void pass_time(uint64_t now);  // ns: for controllers that have a time limit
  void forget(const std::function<bool(uint32_t pid)>& is_alive);  // slots of processes that died
  std::string take_output(int controller);                         // lines for it
  bool has_begun() const { return begun_; }                        // somebody has said a line
  bool has_limits() const;
  std::vector<int> with_output() const;

 private:
  struct Controller {
    CallSet traced;  // none, until it says so
    bool begun = false, signals = false;
    uint64_t limit = 64, patience = 0;
    std::string out;
    std::deque<uint32_t> asked;       // slots, the oldest report first
    std::deque<std::string> waiting;  // lines behind a get or set that is not done
    bool replying = false;
  };
  struct Transfer {  // a get or set that the thread works on
    bool open = false, get = false;
    uint32_t argument = 0;
    uint64_t address = 0, left = 0;
    std::string bytes, line;
  };
  struct Thread {
    bool open = false;
    wire::Stop stop = wire::Stop::entry;
    uint32_t pid = 0, tid = 0;
    read::Call call;
    Instead instead;
    std::vector<int> order, steps;  // controllers to be asked, in this order; those that said step
    size_t at = 0;
    bool skipped = false;
    uint32_t number = 0;
    int64_t result = 0;
    uint64_t since = 0;
    std::string info;
    Transfer transfer;
  };

  void handle(int id, Controller& self, const std::string& line);
  std::string set_up(int id, Controller& self, const Command& command);
  std::string answer(int id, Controller& self, uint32_t slot, const Command& command);
  std::string answer_entry(int id, Controller& self, uint32_t slot, const Command& command);
  std::string answer_exit(uint32_t slot, const Command& command);
  std::string answer_signal(uint32_t slot, const Command& command);
  std::string move_memory(Controller& self, uint32_t slot, const Command& command,
                          const std::string& line);
  void take(uint32_t slot);
  void take_reply(uint32_t slot);
  void go_on_moving(uint32_t slot);
  void take_notice(uint32_t slot);
  void ask_next(uint32_t slot);
  void next(uint32_t slot);
  void conclude(uint32_t slot);
  void give(uint32_t slot, wire::Verdict verdict);
  void withdraw(uint32_t slot);
  void retract(uint32_t slot, const char* why);
  void tell_all(const std::string& line);
  void spread_wishes();
  std::string name_of(const Thread& thread) const;

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
