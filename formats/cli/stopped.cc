#include "formats/cli/stopped.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "arch/x86_64/sigframe.h"

namespace sctrace::cli {

namespace {

constexpr long restart_syscall = 219;
constexpr uint64_t mask_bytes = 8;

// How a call comes out that was interrupted by nothing but us: it is made again. The first four
// are the kernel's own words for that, which it acts on if nobody else does.
bool made_again(user_regs_struct& regs) {
  constexpr long restart_sys = -512, restart_no_intr = -513, restart_no_hand = -514,
                 restart_block = -516;
  // Those that say EINTR at any stop, and have done nothing then.
  constexpr long plain[] = {0,   1,   19,  20,  43,  44,  45,  46,  47,  65,
                            128, 208, 220, 232, 281, 288, 299, 307, 333, 441};
  const auto result = static_cast<long>(regs.rax), call = static_cast<long>(regs.orig_rax);
  if (call < 0) return false;
  const bool again =
      result == restart_sys || result == restart_no_intr || result == restart_no_hand ||
      (result == -EINTR && std::find(std::begin(plain), std::end(plain), call) != std::end(plain));
  if (!again && result != restart_block) return false;
  regs.rax = static_cast<unsigned long>(again ? call : restart_syscall);
  regs.rip -= 2;
  return true;
}

// Where a part of the state ends. Asked once: a virtual machine's host answers it.
uint64_t end_of_part(uint32_t part) {
  static uint64_t ends[62] = {};
  if (ends[part]) return ends[part];
  uint32_t a = 0xd, b = 0, c = part, d = 0;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return ends[part] = uint64_t{a} + b;
}

// Bytes of the state that the kernel takes back: without the parts that it may have no room for
// in this thread (AMX tiles), unless they are in use.
uint32_t used_bytes(uint64_t present, uint64_t enabled, uint64_t most) {
  constexpr uint64_t tiles = 3ull << 17;
  if (present & tiles) return static_cast<uint32_t>(most);
  uint64_t bytes = 576;
  for (uint32_t part = 2; part < 62; ++part)
    if ((enabled & ~tiles) >> part & 1) bytes = std::max(bytes, end_of_part(part));
  return static_cast<uint32_t>(std::min(bytes, most));
}

// The vector registers as a signal frame has them: what ptrace gives, and in the gap that the
// processor leaves, what the kernel looks for there (struct _fpx_sw_bytes).
std::vector<uint8_t> vector_state(uint32_t tid) {
  static std::vector<uint8_t> state(65536);
  iovec all{state.data(), state.size()};
  if (::ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &all) < 0 || all.iov_len < 576) return {};
  uint64_t enabled, present;
  std::memcpy(&enabled, &state[464], sizeof enabled);
  std::memcpy(&present, &state[512], sizeof present);
  const uint32_t bytes = used_bytes(present, enabled, all.iov_len);
  const uint32_t words[] = {0x46505853, bytes + 4};
  const uint32_t end = 0x46505845;
  std::memset(&state[464], 0, 48);
  std::memcpy(&state[464], words, sizeof words);
  std::memcpy(&state[472], &enabled, sizeof enabled);
  std::memcpy(&state[480], &bytes, sizeof bytes);
  std::memcpy(&state[bytes], &end, sizeof end);
  return {state.begin(), state.begin() + bytes + sizeof end};
}

arch::Context context_of(const user_regs_struct& regs, uint64_t mask, uint64_t fpstate) {
  arch::Context context{};
  context.flags = 7;  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
  // No such mode: the kernel leaves the thread's alternate stack as it is, which nobody told us.
  context.stack = {.base = 0, .flags = 0x7f00, .gap = 0, .size = 0};
  context.r8 = regs.r8, context.r9 = regs.r9, context.r10 = regs.r10, context.r11 = regs.r11;
  context.r12 = regs.r12, context.r13 = regs.r13, context.r14 = regs.r14, context.r15 = regs.r15;
  context.rdi = regs.rdi, context.rsi = regs.rsi, context.rbp = regs.rbp, context.rbx = regs.rbx;
  context.rdx = regs.rdx, context.rax = regs.rax, context.rcx = regs.rcx, context.rsp = regs.rsp;
  context.rip = regs.rip, context.eflags = regs.eflags;
  context.cs = static_cast<uint16_t>(regs.cs), context.ss = static_cast<uint16_t>(regs.ss);
  context.fpstate = fpstate;
  context.mask = mask;
  return context;
}

// A fault or a trap that the thread has made itself, and that is still to come: it would come in
// our work, and be taken for one of that.
bool has_a_fault_pending(uint32_t tid) {
  constexpr int own[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  siginfo_t all[32];
  __ptrace_peeksiginfo_args which{};
  which.nr = 32;
  const long n = ::ptrace(PTRACE_PEEKSIGINFO, tid, &which, all);
  return n < 0 || std::any_of(all, all + n, [&](const siginfo_t& one) {
           return std::find(std::begin(own), std::end(own), one.si_signo) != std::end(own);
         });
}

// In a restartable sequence: the kernel would send it to the sequence's own way out if it came by a
// signal, and we can't.
bool is_in_sequence(uint32_t tid, uint32_t pid, uint64_t pc) {
  constexpr auto get_rseq = static_cast<__ptrace_request>(0x420f);  // since Linux 5.13
  struct {
    uint64_t place;
    uint32_t bytes, signature, flags, reserved;
  } area{};
  struct {
    uint32_t version, flags;
    uint64_t begin, bytes, abort;
  } sequence{};
  uint64_t which = 0;
  return ::ptrace(get_rseq, tid, sizeof area, &area) > 0 && area.place &&
         try_read(pid, area.place + 8, &which, sizeof which) && which &&
         try_read(pid, which, &sequence, sizeof sequence) && pc - sequence.begin < sequence.bytes;
}

}  // namespace

bool try_read(uint32_t pid, uint64_t address, void* to, size_t bytes) {
  const iovec mine{to, bytes}, theirs{reinterpret_cast<void*>(address), bytes};
  return ::process_vm_readv(static_cast<pid_t>(pid), &mine, 1, &theirs, 1, 0) ==
         static_cast<ssize_t>(bytes);
}

bool try_write(uint32_t pid, uint64_t address, const void* from, size_t bytes) {
  const iovec mine{const_cast<void*>(from), bytes}, theirs{reinterpret_cast<void*>(address), bytes};
  return ::process_vm_writev(static_cast<pid_t>(pid), &mine, 1, &theirs, 1, 0) ==
         static_cast<ssize_t>(bytes);
}

bool Stopped::try_look() {
  constexpr unsigned long code64 = 0x33;
  if (::ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0 || regs.cs != code64) return false;
  back = regs;
  sleeps = made_again(back);
  has_more = sleeps && back.rax == restart_syscall;
  return !has_a_fault_pending(tid) && (sleeps || !is_in_sequence(tid, pid, regs.rip));
}

bool Stopped::try_send(uint64_t entry, uint64_t stack_end, uint64_t first, uint64_t restorer) {
  uint64_t mask = 0;
  if (::ptrace(PTRACE_GETSIGMASK, tid, mask_bytes, &mask) < 0) return false;
  const std::vector<uint8_t> vectors = vector_state(tid);
  if (vectors.empty()) return false;
  const arch::Places at = arch::frame_below(stack_end, vectors.size());
  const arch::SignalFrame frame{
      .restorer = restorer, .context = context_of(back, mask, at.fpstate), .info = {}};
  if (!try_write(pid, at.fpstate, vectors.data(), vectors.size()) ||
      !try_write(pid, at.frame, &frame, sizeof frame))
    return false;
  user_regs_struct there = regs;
  there.rip = entry;
  there.rsp = at.frame;
  there.eflags = 0x202;
  there.orig_rax = ~0ul;  // whatever call there was, the frame makes it again
  there.rdi = first;
  there.rsi = at.frame + offsetof(arch::SignalFrame, context);
  return ::ptrace(PTRACE_SETREGS, tid, 0, &there) == 0;
}

void Stopped::block(uint64_t signals) const {
  ::ptrace(PTRACE_SETSIGMASK, tid, mask_bytes, &signals);
}

int stop_of(uint32_t tid, int status) {
  constexpr int event_stop = 128;  // PTRACE_EVENT_STOP
  const int signo = WSTOPSIG(status);
  if (status >> 16 == event_stop)
    return signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU ? signo : 0;
  ::ptrace(PTRACE_CONT, tid, 0, signo);  // a signal of the program's own: as it would have come
  return -1;
}

}  // namespace sctrace::cli
