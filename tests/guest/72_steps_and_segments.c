// Hazard 72: a program that single-steps itself over calls sees each step once and where it was;
// one that is interrupted in another code or stack segment gets its handler in the usual ones.
#include <asm/ldt.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "guest.h"

enum { TF = 0x100, DF = 0x400, NT = 0x4000, AC = 0x40000 };

static inline unsigned long flags_now(void) {
  unsigned long flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
  return flags;
}
static inline void set_flags(unsigned long flags) {
  __asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "flags");
}

static volatile long steps, odd_steps;
static unsigned long places[4096];
static void on_step(int number, siginfo_t* info, void* context) {
  (void)number;
  const greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
  if (steps < 4096) places[steps] = regs[REG_RIP];
  steps++;
  odd_steps += info->si_code != TRAP_TRACE || (long)info->si_addr != regs[REG_RIP];
}

static long by_nothing(void) { return 1; }
static long by_libc(void) { return getppid(); }
static long by_syscall(void) { return syscall(SYS_getppid); }
static long by_own(void) {
  long result;
  __asm__ volatile("nop\n\tsyscall\n\tnop\n\tnop" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11");
  return result;
}
static long by_lseek(void) { return lseek(-1, 0, SEEK_CUR); }
static long by_libc_close(void) { return close(-1); }

// Where each step ended, counted from the first in its page.
static void stepped(const char* name, long (*body)(void)) {
  body();
  steps = odd_steps = 0;
  set_flags(flags_now() | TF);
  body();
  set_flags(flags_now() & ~TF);
  unsigned sum = 0;
  for (long i = 0; i < steps; i++) sum = sum * 31 + (unsigned)(places[i] & 0xfff);
  say("%s: steps %ld, odd %ld, places %08x", name, steps, odd_steps, sum);
}
static void steps_over_calls(void) {
  handle(SIGTRAP, on_step, 0);
  stepped("nothing", by_nothing);
  for (int i = 0; i < 2; i++) {
    stepped("libc", by_libc);
    stepped("syscall", by_syscall);
    stepped("own", by_own);
    stepped("lseek", by_lseek);
    stepped("close", by_libc_close);
  }
}

static void flags_over_calls(void) {
  handle(SIGTRAP, on_step, 0);
  const unsigned long sets[] = {NT, AC, NT | AC, TF, NT | TF, AC | TF, NT | AC | TF, DF, TF | DF};
  for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
    set_flags(0x202 | sets[i]);
    raw(SYS_getppid);
    const unsigned long now = flags_now();
    set_flags(0x202);
    say("flags %lx: %s", sets[i], (now & (NT | AC | TF | DF)) == sets[i] ? "stay" : "change");
  }
}

static sigjmp_buf out;
static volatile int code, stack, in_code, in_stack, came;
static void on_fault(int number, siginfo_t* info, void* context) {
  (void)info;
  const greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
  unsigned short cs, ss;
  __asm__ volatile("movw %%cs, %0; movw %%ss, %1" : "=r"(cs), "=r"(ss));
  code = regs[REG_CSGSFS] & 0xffff;
  stack = regs[REG_CSGSFS] >> 48 & 0xffff;
  in_code = cs, in_stack = ss;
  came = number;
  siglongjmp(out, 1);
}

// Into the 32-bit code segment, where the next instruction is none.
static void from_another_code(void) {
  unsigned char* low = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  must(low != MAP_FAILED);
  memcpy(low, "\x0f\x0b", 2);
  stack_t wish = {.ss_sp = malloc(65536), .ss_size = 65536};
  must(sigaltstack(&wish, NULL) == 0);
  for (int i = 0; i < 4; i++) {
    handle(SIGILL, on_fault, i & 1 ? SA_ONSTACK : SA_ONSTACK | SA_NODEFER);
    if (sigsetjmp(out, 1) == 0) {
      struct {
        unsigned address;
        unsigned short segment;
      } __attribute__((packed)) far = {(unsigned)(unsigned long)low, 0x23};
      __asm__ volatile("ljmpl *%0" ::"m"(far) : "memory");
    }
    say("signal %d from segments %x %x, handled in %x %x, calls %d", came, code, stack, in_code,
        in_stack, raw(SYS_getppid) == getppid());
  }
}

// A stack segment of its own, which is no more when it is used next.
static void from_another_stack(void) {
  struct user_desc segment = {
      .entry_number = 0, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
  say("segment %ld", raw(SYS_modify_ldt, 1, &segment, sizeof segment));
  handle(SIGSEGV, on_fault, 0);
  handle(SIGTRAP, on_fault, 0);
  if (sigsetjmp(out, 1) == 0) {
    __asm__ volatile("movw %w0, %%ss; int3" ::"r"(7) : "memory");
  }
  say("signal %d from segments %x %x, handled in %x %x", came, code, stack, in_code, in_stack);
  say("calls %d", raw(SYS_getppid) == getppid());
}

int main(void) {
  in_child("steps", steps_over_calls);
  in_child("flags", flags_over_calls);
  in_child("code", from_another_code);
  in_child("stack", from_another_stack);
  return 0;
}
