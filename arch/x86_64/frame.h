// Frame: the registers of one call exactly as the site left them, and how far we are with it. It
// opens the ThreadState (preload), lies at the top of the stack that the hook runs on, and survives
// nobody's longjmp: whoever interrupts us is shown the site, never us (preload/signals.h).
// raw_syscall() is the only way in which our own code enters the kernel: its instruction lies in
// the one range that Syscall User Dispatch lets pass, so our calls are never taken for the app's.
#pragma once
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/frame_offsets.h"

namespace sctrace::arch {

enum class Phase : uint32_t {
  left = PHASE_LEFT,  // all is published; the thread is outside
  entering =
      PHASE_ENTERING,  // nothing is published: a signal undoes the call, it is made again later
  entered =
      PHASE_ENTERED,  // the entry is published, the kernel has not run: cancel the entry, undo
  returned = PHASE_RETURNED,  // the kernel has run, the exit is not published: a signal finishes it
  special = PHASE_SPECIAL,    // neither can be undone nor finished by a signal: the signal waits
};

enum class Route : uint32_t {
  run = ROUTE_RUN,      // the call as it is in the Frame
  skip = ROUTE_SKIP,    // Frame::result is the answer, the kernel isn't asked
  child = ROUTE_CHILD,  // clone, fork, vfork: returns twice
  return_from_signal = ROUTE_RETURN_FROM_SIGNAL,
  pass = ROUTE_PASS,      // the call as Frame::pass has it
  around = ROUTE_AROUND,  // by the stub's own syscall, outside of us: of a thread that is not ours
};

struct Frame {
  uint64_t rbx, rsp;
  uint64_t tail;  // where to go on: the stub's tail, or behind a site that trapped
  uint64_t flags;
  uint64_t nr;       // rax as the site left it; the kernel looks at the low 32 bits
  uint64_t args[6];  // rdi rsi rdx r10 r8 r9
  uint64_t rbp, r12, r13, r14, r15;
  int64_t result;
  Phase phase;
  uint32_t door;    // 0 stub, 1 trap
  uint64_t behind;  // the address behind the site: where an unwinder goes on
  // Only for the routes `pass`, `child` and `return_from_signal`:
  const uint64_t* pass;  // the six arguments that the kernel is given: args, or our own; its frame
  uint64_t pass_nr;
  Frame* child;  // what the child of a clone goes on from
};

// Of calls that come while another is under way, for a debugger has stopped the thread there and
// lets it run a function: they go to the kernel beside it, and not by us.
struct Beside {
  uint64_t tail, birth_tail;  // where the last goes on; the same of a clone, of which two come back
  uint64_t calls;             // count_besides() in hook.h empties it
};

#define SCTRACE_AT(field, offset) static_assert(offsetof(Frame, field) == offset)
SCTRACE_AT(rbx, FRAME_RBX);
SCTRACE_AT(rsp, FRAME_RSP);
SCTRACE_AT(tail, FRAME_TAIL);
SCTRACE_AT(flags, FRAME_FLAGS);
SCTRACE_AT(nr, FRAME_NR);
SCTRACE_AT(args, FRAME_ARGS);
SCTRACE_AT(rbp, FRAME_RBP);
SCTRACE_AT(r12, FRAME_R12);
SCTRACE_AT(r13, FRAME_R13);
SCTRACE_AT(r14, FRAME_R14);
SCTRACE_AT(r15, FRAME_R15);
SCTRACE_AT(result, FRAME_RESULT);
SCTRACE_AT(pass, FRAME_PASS);
SCTRACE_AT(pass_nr, FRAME_PASS_NR);
SCTRACE_AT(child, FRAME_CHILD);
SCTRACE_AT(phase, FRAME_PHASE);
SCTRACE_AT(door, FRAME_DOOR);
SCTRACE_AT(behind, FRAME_BEHIND);
#undef SCTRACE_AT

}  // namespace sctrace::arch

// trampoline.S and leave.S. Addresses, to be compared with a program counter; only the first is
// jumped to.
extern "C" {
extern const char sctrace_trampoline[], sctrace_trampoline_end[];
extern const char sctrace_gate_begin[], sctrace_gate_end[];  // all our syscall instructions
extern const char sctrace_fs_touched[];                      // may fault where fs is not ours
extern const char sctrace_slow[], sctrace_slow_jump[];       // on the way to the stub's own syscall
extern const char sctrace_is_free[];                         // the thread has no call under way
extern const char sctrace_around[], sctrace_around_end[];    // to the stub's own syscall, too
extern const char sctrace_rbx_is_ours[], sctrace_common[], sctrace_rsp_is_ours[], sctrace_saved[];
extern const char sctrace_site[], sctrace_returned[], sctrace_result_saved[];
extern const char sctrace_child_site[], sctrace_child_returned[];
extern const char sctrace_sigreturn_site[];
extern const char sctrace_beside[], sctrace_beside_saved[], sctrace_beside_end[];  // r11: a tail
extern const char sctrace_beside_site[], sctrace_beside_birth[], sctrace_beside_birth_site[],
    sctrace_beside_return[];
extern const char sctrace_copy_begin[], sctrace_copy_fault[];
extern const char sctrace_probe_touch[], sctrace_probe_fault[];
extern const char sctrace_copy_word_load[], sctrace_copy_word_store[];
extern const char sctrace_copy_string_load[], sctrace_copy_string_store[],
    sctrace_copy_string_fault[];
extern const char sctrace_deliver[];  // the handler that the kernel is given
extern const char sctrace_deliver_end[];
void sctrace_restorer();
int sctrace_int80(const void* context);  // struct Context; makes the call by int $0x80
void sctrace_lent_asleep();
extern const char sctrace_go_on[], sctrace_go_on_end[];
// Instead of calls that a filter of the app might forbid (preload/sandbox.h).
uint64_t sctrace_fault_for_mask(uint64_t mask, uint64_t block);
void sctrace_fault_for_signal();
void sctrace_fault_for_parting();  // so that the thread leaves by a signal's return (part.h)
[[noreturn]] void sctrace_return_by(const void* context);
// All signals blocked: a call made with the stack pointer of the app.
long sctrace_call_on(uint64_t rsp, long number, const void* a, void* b);
long sctrace_raw_syscall(long number, long a, long b, long c, long d, long e, long f);
// Copies n bytes; returns how many could NOT be copied because memory on either side faulted.
// 0 if every page of [at, at + n), n > 0, may be written; it is touched, and left as it is.
size_t sctrace_probe(void* at, size_t n);
size_t sctrace_copy(void* to, const void* from, size_t n);
// The same for a string of at most n bytes: returns its length, without the nul; n if there was
// none; -1-length if memory faulted after so many bytes. Up to 7 bytes behind it are written over.
long sctrace_copy_string(char* to, const char* from, size_t n);
}

namespace sctrace::arch {

// The kernel's own long: -4095..-1 is an error. Never touches errno.
template <typename... Args>
inline long raw_syscall(long number, Args... args) {
  long a[6] = {(long)args...};
  return sctrace_raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // namespace sctrace::arch
