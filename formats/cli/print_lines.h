// What `print` shows of a timeline: which items, and with what beside them. How they look is the
// notation's business, where the lines go that of Outputs.
#pragma once
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "formats/cli/print_options.h"
#include "formats/counts.h"
#include "formats/handover.h"
#include "formats/notation.h"
#include "formats/read/alive.h"
#include "formats/read/decode.h"
#include "formats/read/endings.h"
#include "formats/read/files.h"
#include "formats/read/symbols.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

// One file for all threads, or with -ff one for each. Throws std::runtime_error where one cannot be
// opened.
class Outputs {
 public:
  explicit Outputs(const Wish& wish);
  void write(uint32_t tid, std::string& text);  // and empties it
  bool failed() const { return failed_; }
  void flush();
  bool close();  // false: something could not be written

 private:
  FILE* file(uint32_t tid);
  const Wish& wish_;
  FILE* to_ = nullptr;
  std::set<uint32_t> begun_;
  bool failed_ = false;
};

class Lines {
 public:
  // `beside`: they are written in a thread of its own, and only end() has them all out.
  Lines(const Wish& wish, const read::Trace& trace, Outputs& outputs, bool beside = false);
  void add(const read::Item& item);
  void end(const read::Losses& losses);
  void flush(bool all);

 private:
  void happen(const read::Item& item, bool mine);
  void call_by_name(uint32_t tid);
  void enter(const read::Item& item);
  void leave(const read::Item& item);
  void supersede(const Event& exec);
  void dump(const read::Call& call);
  void signal(const read::Item& item);
  void gone(const read::Item& item);
  void exits(const read::Item& item);
  void end_others(uint32_t pid, uint32_t but, uint64_t when, const Departure& how);
  void killed(const read::Ending& one, uint64_t when);
  void begin(const read::Thread& thread);
  void program(const read::Item& item);
  void unfinished(uint32_t tid);
  const read::Files* files() const { return follows_files_ ? &files_ : nullptr; }
  read::Depth depth(uint32_t nr) const;
  Notation& notation(uint32_t tid);
  // To whom the lines of this thread are, now or in the other thread.
  template <class Use>
  void tell(uint32_t tid, Use use) {
    Notation& to = notation(tid);
    if (beside_)
      beside_->put(0, &to, Event(), std::move(use));
    else
      use(to);
  }
  void tell_left(Event&& event);
  bool try_tell_decoded(const read::Item& item);
  bool try_tell_undecoded(const read::Call& call, bool left);
  void write_full(uint32_t tid, Notation& from, bool all = false);
  bool has_stacks() const { return wish_.text.stack || wish_.form == "json"; }

  const Wish& wish_;
  const read::Trace& trace_;
  Outputs& outputs_;
  TextFilter filter_;
  bool settled_ = false, follows_files_ = false;
  bool may_decode_later_ = false;  // nothing is asked of a call that only its event could tell
  read::Files files_;
  read::Endings endings_;
  read::Alive alive_;
  read::NetlinkSockets sockets_;
  read::Symbols symbols_;
  Counts counts_;
  std::map<uint32_t, std::unique_ptr<Notation>> notations_;  // by tid with -ff, else the one of 0
  std::map<uint32_t, Event> held_;  // open calls that only their end can let through the filter
  std::map<uint32_t, std::string> called_;  // as the notation knows it
  std::set<uint32_t> threads_;
  std::set<uint32_t> standing_;  // those in a call that was told when it was made
  std::set<uint32_t> programs_;  // pids whose first program is shown
  uint32_t first_ = 0;
  uint64_t last_ = 0;
  struct Telling {
    Telling(Notation* who, Event&& event, std::function<void(Notation&)> use = {})
        : to(who), left(std::move(event)), other(std::move(use)) {}
    Telling(Notation* who, std::unique_ptr<read::Call> one, bool came_back)
        : to(who), call(std::move(one)), is_left(came_back) {}
    Notation* to;
    std::unique_ptr<read::Call> call;  // still to be decoded, or
    bool is_left = false;
    Event left;  // a call that came back, unless
    std::function<void(Notation&)> other;
  };
  void write(Telling& one) const;
  std::optional<Handover<Telling>> beside_;  // ends before what it is told of
};

}  // namespace sctrace::cli
