// membarrier(2): what we have registered this memory for beside what the program has, so that it is
// answered as if we had not. As kernel/sched/membarrier.c does it in Linux 6.18: who registers for
// more than plain barriers is shown as registered for these, too, but may not ask for them.
#pragma once
#include <asm/unistd.h>

#include <atomic>
#include <cstdint>

#include "arch/x86_64/frame.h"

namespace sctrace::arch {

enum Barrier : uint32_t {
  barrier = 1 << 3,
  register_barrier = 1 << 4,
  sync_core = 1 << 5,
  register_sync_core = 1 << 6,
  register_rseq = 1 << 8,
  registrations = 1 << 9,  // since Linux 6.3
};

class Barriers {
 public:
  // For us. What was registered until now and not by us, it was by the program.
  bool try_register(Barrier with) {
    const long before = raw_syscall(__NR_membarrier, registrations, 0, 0);
    if (before > 0) theirs_ |= static_cast<uint32_t>(before) & ~shown(ours_);
    ours_ |= with;
    return raw_syscall(__NR_membarrier, with, 0, 0) == 0;
  }

  // What the kernel has answered the program, as it would be without us.
  int64_t answer(uint32_t command, int64_t result) {
    constexpr int64_t not_permitted = -1;
    if (result < 0) return result;
    switch (command) {
      case register_barrier:
      case register_sync_core:
      case register_rseq: theirs_ |= command; return result;
      case barrier: return theirs_ & register_barrier ? result : not_permitted;
      case sync_core: return theirs_ & register_sync_core ? result : not_permitted;
      case registrations: return (result & ~int64_t{shown(ours_)}) | shown(theirs_);
      default: return result;
    }
  }

 private:
  static uint32_t shown(uint32_t registered) {
    return registered & (register_sync_core | register_rseq) ? registered | register_barrier
                                                             : registered;
  }
  std::atomic<uint32_t> ours_, theirs_;
};

inline Barriers barriers;

}  // namespace sctrace::arch
