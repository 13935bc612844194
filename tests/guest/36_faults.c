// Hazard 36: synchronous faults: code, address, registers, going on by editing the context; deaths
// by default, while ignored and while blocked.
#include <sys/mman.h>
#include <ucontext.h>
#include "guest.h"

static volatile int number_seen, code;
static void* volatile address;
static volatile long skip, pc, rax_seen;

static void on_fault(int number, siginfo_t* info, void* context) {
  greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
  raw(SYS_getppid);
  number_seen = number;
  code = info->si_code;
  address = info->si_addr;
  pc = regs[REG_RIP];
  rax_seen = regs[REG_RAX];
  regs[REG_RIP] += skip;
  regs[REG_RBX] = 4711;
}

#define FAULT(name, length, text)                                                                \
  do {                                                                                           \
    long here, rbx = 0;                                                                          \
    skip = length;                                                                               \
    raw(SYS_getppid);                                                                            \
    __asm__ volatile("lea 1f(%%rip), %0\n mov $777, %%rax\n 1: " text                            \
                     : "=&r"(here), "=&b"(rbx)                                                   \
                     : "c"(page)                                                                 \
                     : "rax", "rdx", "memory");                                                  \
    say("%s: signal %d, code %d, address %d, pc %ld, rax %ld, rbx %ld", name, number_seen, code, \
        address == page, pc - here, rax_seen, rbx);                                              \
  } while (0)

static void null_default(void) { *(volatile int*)8 = 1; }
static void null_ignored(void) {
  signal(SIGSEGV, SIG_IGN);
  *(volatile int*)8 = 1;
}
static void null_blocked(void) {
  sigset_t all;
  sigfillset(&all);
  handle(SIGSEGV, on_fault, 0);
  sigprocmask(SIG_SETMASK, &all, NULL);
  *(volatile int*)8 = 1;
}
static void aborted(void) { abort(); }
static void trapped(void) { __asm__ volatile("int3"); }

int main(void) {
  char* page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (int i = 0; i < 5; i++) handle(numbers[i], on_fault, 0);
  for (int round = 0; round < 3; round++) {
    FAULT("read", 2, "movb (%%rcx), %%al");
    FAULT("write", 2, "movb %%al, (%%rcx)");
    FAULT("ud2", 2, "ud2");
    FAULT("int3", 0, "int3; nop");
    FAULT("hlt", 1, "hlt");
  }
  in_child("by default", null_default);
  in_child("ignored", null_ignored);
  in_child("blocked", null_blocked);
  in_child("abort", aborted);
  signal(SIGTRAP, SIG_DFL);
  in_child("int3", trapped);
  return 0;
}
