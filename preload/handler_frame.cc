#include "preload/handler_frame.h"

#include "preload/capture.h"

namespace sctrace::preload {
namespace {
constexpr uint16_t user_code = 0x33;  // __USER_CS
}

void begin_handler(int signo, uint64_t handler, uint64_t at, arch::Context& context) {
  uint16_t ss;
  asm("movw %%ss, %0" : "=r"(ss));
  context.cs = user_code;  // from a 32-bit segment, or one of its own
  context.ss = ss;         // valid: the kernel has seen to it as it entered ours
  context.rip = handler;
  context.rsp = at;
  context.rax = 0;
  context.rdi = static_cast<uint64_t>(signo);
  context.rsi = at + offsetof(arch::SignalFrame, info);
  context.rdx = at + offsetof(arch::SignalFrame, context);
  context.eflags &= ~0x10500ull;  // RF, DF, TF
  context.fpstate = 0;            // a handler starts with fresh vector state
}

bool enter_handler(int signo, uint64_t handler, uint64_t top, arch::SignalFrame& frame,
                   arch::Context& context) {
  const uint64_t bytes = arch::fpstate_bytes(context);
  const arch::Places at = arch::frame_below(top, bytes);
  if (bytes) frame.context.fpstate = at.fpstate;
  if (!write_app(at.fpstate, reinterpret_cast<const void*>(context.fpstate), bytes) ||
      !write_app(at.frame, &frame, sizeof frame))
    return false;
  begin_handler(signo, handler, at.frame, context);
  return true;
}

}  // namespace sctrace::preload
