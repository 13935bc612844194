// Hazard 70: the stack of a handler, or the frame that it returns by, can't be written when it is
// wanted: the signal becomes a SIGSEGV, and a return only reads.
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "guest.h"

enum { page = 4096, pages = 16 };
static char* stack;
static volatile int hups, faults, fault_code, fault_on_stack, hup_blocked;
static volatile long fault_address;

static void may_write(int yes) {
  must(mprotect(stack, pages * page, yes ? PROT_READ | PROT_WRITE : PROT_READ) == 0);
}
static int is_on_stack(const void* place) {
  return (char*)place >= stack && (char*)place < stack + pages * page;
}
static void use_stack(void) {
  stack = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const stack_t wish = {.ss_sp = stack, .ss_size = pages * page};
  must(sigaltstack(&wish, NULL) == 0);
}

static void on_hup(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  hups++;
}
static void on_fault(int number, siginfo_t* info, void* context) {
  (void)number;
  const ucontext_t* at = context;
  faults++;
  fault_code = info->si_code;
  fault_address = (long)info->si_addr;
  fault_on_stack = is_on_stack(&number);
  hup_blocked = sigismember(&at->uc_sigmask, SIGHUP);
}

static void becomes_a_fault(void) {
  use_stack();
  handle(SIGHUP, on_hup, SA_ONSTACK);
  handle(SIGSEGV, on_fault, 0);
  for (int i = 0; i < 3; i++) {
    may_write(0);
    raw(SYS_tkill, getpid(), SIGHUP);
    say("hups %d, faults %d, code %x, address %lx, there %d, hup blocked %d", hups, faults,
        fault_code, fault_address, fault_on_stack, hup_blocked);
    may_write(1);
    raw(SYS_tkill, getpid(), SIGHUP);
    say("hups %d, faults %d", hups, faults);
  }
}
static void used_up(void) {
  use_stack();
  handle(SIGHUP, on_hup, SA_ONSTACK | SA_RESETHAND);
  handle(SIGSEGV, on_fault, 0);
  may_write(0);
  raise(SIGHUP);
  struct sigaction now;
  must(sigaction(SIGHUP, NULL, &now) == 0);
  say("faults %d, used up %d", faults, now.sa_handler == SIG_DFL);
}
static void without_a_handler(void) {
  use_stack();
  handle(SIGHUP, on_hup, SA_ONSTACK);
  may_write(0);
  raise(SIGHUP);
}
static void ignored(void) {
  signal(SIGSEGV, SIG_IGN);
  without_a_handler();
}
static void blocked(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_BLOCK, &set, NULL);
  handle(SIGSEGV, on_fault, 0);
  without_a_handler();
}
static void both_there(void) {
  handle(SIGSEGV, on_fault, SA_ONSTACK);
  without_a_handler();
}

// The frame can only be read when the handler returns, and is the same as before.
static void on_usr_reads(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ucontext_t* at = context;
  sigaddset(&at->uc_sigmask, SIGUSR2);
  at->uc_mcontext.gregs[REG_R12] = 77;
  hups++;
  raw(SYS_mprotect, stack, pages * page, PROT_READ);
}
__attribute__((noinline)) static long raise_usr(void) {
  register long r12 __asm__("r12") = 5;
  long nr = SYS_tkill;
  __asm__ volatile("syscall"
                   : "+a"(nr), "+r"(r12)
                   : "D"(getpid()), "S"(SIGUSR1)
                   : "rcx", "r11", "memory");
  return r12;
}
static void returns_by_reading(void) {
  use_stack();
  handle(SIGUSR1, on_usr_reads, SA_ONSTACK);
  for (int i = 0; i < 3; i++) {
    const long r12 = raise_usr();
    may_write(1);
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    stack_t now;
    must(sigaltstack(NULL, &now) == 0);
    say("r12 %ld, usr2 blocked %d, stack there %d, flags %d", r12, sigismember(&set, SIGUSR2),
        now.ss_sp == stack, now.ss_flags);
    for (int signal = 1; i == 2 && signal < 65; signal++)
      if (sigismember(&set, signal)) say("blocked %d", signal);
  }
}

// The handler returns by a copy of its frame, which lies in memory that can only be read.
static char* copy;
static void on_usr_copies(int number, siginfo_t* info, void* context) {
  (void)number;
  copy = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(copy + page, context, (char*)(info + 1) - (char*)context);
  must(mprotect(copy, 4 * page, PROT_READ) == 0);
  __asm__ volatile("movq %0, %%rsp; movl $15, %%eax; syscall" ::"r"(copy + page) : "memory");
}
static void returns_by_a_copy(void) {
  handle(SIGUSR1, on_usr_copies, 0);
  for (int i = 0; i < 3; i++) {
    say("r12 %ld", raise_usr());
    munmap(copy, 4 * page);
  }
}

// Somebody else takes the stack away and gives it back, at any moment.
static volatile int over;
static void* take_and_give(void* unused) {
  (void)unused;
  while (!over) raw(SYS_mprotect, stack, pages * page, PROT_READ), may_write(1);
  return NULL;
}
// Writes to no stack.
__attribute__((naked)) static void on_nothing(int number __attribute__((unused))) {
  __asm__("ret");
}
static void at_any_moment(void) {
  use_stack();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_nothing;
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  action.sa_flags = SA_ONSTACK;
  must(sigaction(SIGHUP, &action, NULL) == 0);
  pthread_t thread;
  must(pthread_create(&thread, NULL, take_and_give, NULL) == 0);
  const int pid = getpid();
  const volatile double value = 123.456;
  long wrong = 0;
  for (int i = 0; i < 20000; i++) {
    raw(SYS_tkill, pid, SIGHUP);
    wrong += value != 123.456;
  }
  over = 1;
  pthread_join(thread, NULL);
  say("wrong %ld", wrong);
}

int main(void) {
  in_child("a fault", becomes_a_fault);
  in_child("used up", used_up);
  in_child("without a handler", without_a_handler);
  in_child("ignored", ignored);
  in_child("blocked", blocked);
  in_child("both there", both_there);
  in_child("returns by reading", returns_by_reading);
  in_child("returns by a copy", returns_by_a_copy);
  in_child("at any moment", at_any_moment);
  return 0;
}
