// Which calls are open on a ring, by the threads that share it, and what the records that follow
// say of them: one rule for those who pair calls with their memory (merge_calls.h) and those who
// only count them (call_scan.h). A Frame is one open call: nr(), and `interrupted`: a handler ran
// since, so what it calls is nested, and this one may go on.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "arch/table.h"
#include "formats/wire/record.h"

namespace sctrace::read {

inline constexpr size_t look_ahead = 64;  // events that one entry may hold back

// Calls that never come back: their open entry means nothing.
inline bool never_returns(uint32_t nr) {
  return nr == arch::nr_exit || nr == arch::nr_exit_group || nr == arch::nr_rt_sigreturn;
}
// Nor do these, when all goes well.
inline bool is_exec(uint32_t nr) { return nr == arch::nr_execve || nr == arch::nr_execveat; }

// The flag's bit is that of the sixth argument's width, where there is one.
inline bool is_ending(uint32_t nr, uint8_t flags, unsigned argc) {
  return flags & wire::entry_ending && argc < 6 &&
         (nr == arch::nr_exit || nr == arch::nr_exit_group);
}

template <class Frame>
class OpenCalls {
 public:
  // Has calls open on this ring: its thread, or a vfork child.
  struct Owner {
    uint32_t pid = 0, tid = 0;
    std::vector<Frame> open;
  };

  Owner& of(uint32_t pid, uint32_t tid) {
    constexpr size_t most = 1024;  // a hostile file may name a new thread in each record
    for (Owner& one : owners_)
      if (one.pid == pid && one.tid == tid) return one;
    if (owners_.size() == most) owners_.erase(owners_.begin());
    return owners_.emplace_back(Owner{pid, tid, {}});
  }

  // A new entry says of those still open: interrupted by a handler, or never to come back.
  void make_room(Owner& one) {
    constexpr size_t deepest = 64;  // handlers within handlers; beyond it programs jump out of them
    while (!one.open.empty() && !one.open.back().interrupted) {
      close(one.open.back());
      one.open.pop_back();
    }
    if (one.open.size() == deepest) {
      close(one.open.front());
      one.open.erase(one.open.begin());
    }
  }

  // A handler's rt_sigreturn led back to the call that it had interrupted, or to none.
  static void leave_handlers(std::vector<Frame>& open) {
    while (!open.empty() && open.back().nr() == arch::nr_rt_sigreturn) open.pop_back();
  }

  // Somebody else writes from here on.
  void begin(uint32_t pid, uint32_t tid, wire::Began began) {
    const auto is_new = [&](const Owner& one) { return one.pid == pid && one.tid == tid; };
    if (began == wire::Began::vfork) {
      std::erase_if(owners_, is_new);
      return;
    }
    // Nobody else has this ring now: not the vfork child, not the thread that had the slot before.
    for (Owner& one : owners_)
      if (began != wire::Began::back || !is_new(one))
        for (const Frame& frame : one.open) close(frame);
    if (began == wire::Began::back)
      std::erase_if(owners_, [&](const Owner& one) { return !is_new(one); });
    else
      owners_.clear();
  }

  void forget() { owners_.clear(); }  // which of them went on nobody can tell
  void end() {
    for (const Owner& one : owners_)
      for (const Frame& frame : one.open) close(frame);
    owners_.clear();
  }

  const std::vector<Owner>& owners() const { return owners_; }
  uint64_t unfinished = 0;  // calls that never came back, other than those which never do

 private:
  void close(const Frame& frame) {
    if (!never_returns(frame.nr()) && !is_exec(frame.nr())) ++unfinished;
  }
  std::vector<Owner> owners_;
};

}  // namespace sctrace::read
