// Hazard 44: the program traces its child: which calls, where, what lies there, and which signals;
// by PTRACE_SYSCALL, PTRACE_SYSEMU, single steps, and with calls that it alters.
#include <dlfcn.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "guest.h"

#define trace_call(request, pid, address, data) \
  raw(SYS_ptrace, (long)(request), (long)(pid), (long)(address), (long)(data))

static const char* where(unsigned long address) {
  static char text[80];
  Dl_info info;
  if (!dladdr((void*)address, &info) || !info.dli_fname) return "nowhere";
  snprintf(text, sizeof text, "%s+%lx", strrchr(info.dli_fname, '/') + 1,
           address - (unsigned long)info.dli_fbase);
  return text;
}

static int is_known(long nr, long long result) {
  return nr == SYS_write || nr == SYS_close || nr == SYS_sched_yield ||
         (result < 0 && result > -600);
}

// Every stop of a child until it ends.
static void watch(void (*body)(void)) {
  pid_t pid = fork();
  if (!pid) {
    must(trace_call(PTRACE_TRACEME, 0, 0, 0) == 0);
    raw(SYS_kill, getpid(), SIGSTOP);
    body();
    _exit(5);
  }
  int status, entered = 0, signal = 0;
  must(waitpid(pid, &status, 0) == pid);
  say("stopped %x", status);
  must(trace_call(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
  while (trace_call(PTRACE_SYSCALL, pid, 0, signal) == 0 && waitpid(pid, &status, 0) == pid &&
         WIFSTOPPED(status)) {
    struct user_regs_struct regs;
    signal = 0;
    must(trace_call(PTRACE_GETREGS, pid, 0, &regs) == 0);
    const unsigned long rip = regs.rip;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      signal = WSTOPSIG(status);
      say("signal %d at %s", signal, where(rip));
    } else if ((entered = !entered)) {
      errno = 0;
      long text = ptrace(PTRACE_PEEKTEXT, pid, rip - 2, 0);
      say("call %lld at %s, there %lx", regs.orig_rax, where(rip), text & 0xffff);
    } else {
      const long long result = (long long)regs.rax;
      say("  = %lld, rcx %d", is_known((long)regs.orig_rax, result) ? result : 0, regs.rcx == rip);
    }
  }
  say("ended %x", status);
}

static void calls(void) {
  getppid();
  raw(SYS_getppid);
  close(-1);
  (void)!write(1, "x\n", 2);
  raw(SYS_write, 1, "y\n", 2);
  sched_yield();
}
static void told(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  say("handler %d", number);
}
static void own_signals(void) {
  raise(SIGUSR1);
  raise(SIGSYS);
  getppid();
  *(volatile int*)8 = 1;
}
static void bears(void) {
  long pid = raw(SYS_clone, 0);  // no SIGCHLD, which would come now or later
  if (!pid) raw(SYS_exit, 3);
  waitpid((pid_t)pid, NULL, __WALL);
}
// What was set before it is traced holds afterwards.
static void watch_calls(void) { watch(calls); }
static void watch_signals(void) {
  static char stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGBUS);
  must(sigaltstack(&alternate, NULL) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  raise(SIGBUS);
  handle(SIGUSR1, told, SA_ONSTACK);
  handle(SIGSYS, told, 0);
  watch(own_signals);
}
static void watch_births(void) { watch(bears); }

static pid_t child_that_asks(void) {
  pid_t pid = fork();
  if (pid) return pid;
  must(trace_call(PTRACE_TRACEME, 0, 0, 0) == 0);
  raise(SIGSTOP);
  long a = raw(SYS_getppid), b = getppid();
  _exit(a == 4242 && b == 4242 ? 11 : a == getpid() ? 12 : 13);
}

static void emulated(void) {
  pid_t pid = child_that_asks();
  int status;
  must(waitpid(pid, &status, 0) == pid);
  for (;;) {
    struct user_regs_struct regs;
    must(trace_call(PTRACE_SYSEMU, pid, 0, 0) == 0 && waitpid(pid, &status, 0) == pid);
    if (!WIFSTOPPED(status)) break;
    must(trace_call(PTRACE_GETREGS, pid, 0, &regs) == 0);
    say("call %lld", regs.orig_rax);
    if (regs.orig_rax == SYS_exit_group) {
      say("status %lld", regs.rdi);
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      break;
    }
    regs.rax = 4242;
    must(trace_call(PTRACE_SETREGS, pid, 0, &regs) == 0);
  }
}

static void altered(void) {
  pid_t pid = child_that_asks();
  int status;
  must(waitpid(pid, &status, 0) == pid);
  must(trace_call(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
  for (;;) {
    struct user_regs_struct regs;
    must(trace_call(PTRACE_SYSCALL, pid, 0, 0) == 0 && waitpid(pid, &status, 0) == pid);
    if (!WIFSTOPPED(status)) break;
    must(trace_call(PTRACE_GETREGS, pid, 0, &regs) == 0);
    if (regs.orig_rax != SYS_getppid || (long)regs.rax != -ENOSYS) continue;
    regs.orig_rax = SYS_getpid;
    must(trace_call(PTRACE_SETREGS, pid, 0, &regs) == 0);
  }
  say("%s", ended(status));
}

static void stepped(void) {
  pid_t pid = fork();
  if (!pid) {
    must(trace_call(PTRACE_TRACEME, 0, 0, 0) == 0);
    __asm__ volatile("int3; mov $39, %%eax; syscall; nop; nop" ::: "rax", "rcx", "r11", "memory");
    _exit(0);
  }
  int status;
  struct user_regs_struct regs, before;
  must(waitpid(pid, &status, 0) == pid);
  must(trace_call(PTRACE_GETREGS, pid, 0, &before) == 0);
  for (int i = 0; i < 4; i++) {
    must(trace_call(PTRACE_SINGLESTEP, pid, 0, 0) == 0 && waitpid(pid, &status, 0) == pid);
    must(trace_call(PTRACE_GETREGS, pid, 0, &regs) == 0);
    say("step %llu, status %x, rax %d", regs.rip - before.rip, status, (pid_t)regs.rax == pid);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
}

int main(void) {
  in_child("calls", watch_calls);
  in_child("signals", watch_signals);
  in_child("births", watch_births);
  in_child("emulated", emulated);
  in_child("altered", altered);
  in_child("stepped", stepped);
  return 0;
}
