// The signal frame as the kernel lays it on a stack, and where it would lay it: enough to move one
// to the stack where the app expects it. Layout: arch/x86/include/uapi/asm/sigcontext.h and
// arch/x86/kernel/signal.c.
#pragma once
#include <cstddef>
#include <cstdint>

#include "arch/x86_64/frame_offsets.h"

namespace sctrace::arch {

struct SignalStack {
  uint64_t base;
  int32_t flags;
  uint32_t gap;
  uint64_t size;
};

struct Context {  // struct ucontext, x86-64
  uint64_t flags, link;
  SignalStack stack;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
      eflags;
  uint16_t cs, gs, fs, ss;
  uint64_t error, trap, oldmask, cr2;
  uint64_t fpstate;
  uint64_t reserved[8];
  uint64_t mask;
};
static_assert(offsetof(Context, rip) == 168 && offsetof(Context, fpstate) == CONTEXT_FPSTATE);
static_assert(offsetof(Context, r8) == CONTEXT_REGISTERS &&
              offsetof(Context, mask) == CONTEXT_MASK);
static_assert(offsetof(Context, eflags) == CONTEXT_FLAGS);
static_assert(sizeof(Context) == 304);

struct Info {  // siginfo_t: the fields that we look at
  int32_t signo, error, code, gap;
  union {
    struct {
      int32_t pid, uid;
    } sender;
    uint64_t address;  // SIGSEGV, SIGBUS: the faulting one; SIGSYS: the call's
    uint8_t rest[112];
  };
};
static_assert(sizeof(Info) == 128);

struct SignalFrame {
  uint64_t restorer;  // the handler's return address
  Context context;
  Info info;
};
static_assert(sizeof(SignalFrame) == 440);

inline constexpr uint64_t red_zone = 128;

// Bytes of vector and floating-point state that a context points at.
inline uint64_t fpstate_bytes(const Context& context) {
  if (!context.fpstate) return 0;
  const auto* words =
      reinterpret_cast<const uint32_t*>(context.fpstate + 464);  // struct _fpx_sw_bytes
  return words[0] == 0x46505853 ? words[1] : 512;
}

struct Places {
  uint64_t fpstate, frame;
};

// Where the kernel would put state and frame, coming down from `top`.
inline Places frame_below(uint64_t top, uint64_t state_bytes) {
  const uint64_t fpstate = (top - state_bytes) & ~63ull;
  return {fpstate, ((fpstate - sizeof(SignalFrame)) & ~15ull) - 8};
}

}  // namespace sctrace::arch
