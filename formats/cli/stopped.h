// A thread that ptrace has stopped: what it is, and how it is sent elsewhere with a way back.
#pragma once
#include <sys/user.h>

#include <cstddef>
#include <cstdint>

namespace sctrace::cli {

struct Stopped {
  uint32_t tid = 0, pid = 0;
  user_regs_struct regs{};  // as it was stopped
  user_regs_struct back{};  // as it goes on
  bool sleeps = false;      // in a call, which `back` makes again
  bool has_more = false;    // as restart_syscall: the kernel knows how it goes on

  // False: it may not be sent anywhere now.
  bool try_look();
  // Into `entry`, with a signal frame below `stack_end` from which it goes back; arguments: `first`
  // and the frame's context. False: nothing of it has changed.
  bool try_send(uint64_t entry, uint64_t stack_end, uint64_t first, uint64_t restorer);
  void block(uint64_t signals) const;
};

// What a stop is, after PTRACE_SEIZE and PTRACE_INTERRUPT: 0: the one that was asked for; a number:
// the whole process is stopped by that signal; -1: another, and it has been let go on.
int stop_of(uint32_t tid, int status);

bool try_read(uint32_t pid, uint64_t address, void* to, size_t bytes);
bool try_write(uint32_t pid, uint64_t address, const void* from, size_t bytes);

}  // namespace sctrace::cli
