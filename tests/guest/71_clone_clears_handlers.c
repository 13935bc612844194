// Hazard 71: a child that is born without handlers (CLONE_CLEAR_SIGHAND, as posix_spawn of glibc
// 2.38 wants it), and flags above those that clone takes.
#include <linux/sched.h>
#include <stdint.h>
#include <sys/mman.h>

#include "clone3_onto.h"
#include "guest.h"

#ifndef CLONE_VM
#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000
#endif

struct action {
  void* handler;
  unsigned long flags;
  void* restorer;
  unsigned long mask;
};

static volatile int handled;
static void on_signal(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  handled = number;
}

static const char* kind(const struct action* action) {
  return action->handler == SIG_DFL ? "default" : action->handler == SIG_IGN ? "ignored" : "ours";
}
static const int asked[] = {SIGUSR1, SIGUSR2, SIGSEGV, SIGBUS, SIGSYS, 64};
static void say_actions(const char* who) {
  for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
    struct action now;
    must(raw(SYS_rt_sigaction, asked[i], 0, &now, 8) == 0);
    say("%s: %d is %s, flags %lx, restorer %d, mask %lx", who, asked[i], kind(&now), now.flags,
        now.restorer != NULL, now.mask);
  }
}

static int child(void* value) {
  say_actions("child");
  say("calls %d", raw(SYS_getppid) == getppid());
  handled = 0;
  handle(SIGSEGV, on_signal, SA_RESETHAND);
  raw(SYS_tkill, raw(SYS_gettid), SIGSEGV);
  say("its own handler %d", handled);
  if (value) raw(SYS_kill, raw(SYS_getpid), (long)value);
  return 9;
}

static void born(const char* how, unsigned long flags, int deadly) {
  enum { bytes = 65536 };
  char* stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct clone_args args = {.flags = flags | CLONE_CLEAR_SIGHAND,
                            .exit_signal = SIGCHLD,
                            .stack = (uintptr_t)stack,
                            .stack_size = bytes};
  const long pid = clone3_onto(&args, sizeof args, child, (void*)(long)deadly);
  int status;
  must(waitpid(pid, &status, 0) == pid);
  say("%s: %s", how, ended(status));
  munmap(stack, bytes);
}

int main(void) {
  sigset_t all;
  sigfillset(&all);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_mask = all, .sa_flags = SA_SIGINFO};
  must(sigaction(SIGUSR1, &action, NULL) == 0);
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  must(sigaction(SIGSYS, &action, NULL) == 0);
  action.sa_handler = SIG_IGN;
  action.sa_flags = SA_RESTART;
  must(sigaction(SIGUSR2, &action, NULL) == 0);
  must(sigaction(SIGBUS, &action, NULL) == 0);
  say_actions("parent");
  const int deadly[] = {0, SIGUSR1, SIGUSR2, SIGSYS, SIGBUS};
  for (unsigned i = 0; i < sizeof deadly / sizeof *deadly; i++) {
    born("like fork", 0, deadly[i]);
    born("like vfork", CLONE_VM | CLONE_VFORK, deadly[i]);
    born("in our memory", CLONE_VM, deadly[i]);
  }
  say_actions("parent");
  raise(SIGSYS);
  say("handled %d", handled);
  const long pid = raw(SYS_clone, 0xffffffff00000000 | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    raise(SIGUSR1);
    _exit(handled == SIGUSR1 ? 5 : 6);
  }
  int status;
  must(waitpid(pid, &status, 0) == pid);
  say("high flags: %s", ended(status));
  return 0;
}
