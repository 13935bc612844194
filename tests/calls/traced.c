// ptrace, as strace 6.1 says it.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEEKUSER = 3, POKEUSER = 6 };  // <linux/ptrace.h> calls them USR
static long word = 0x1122334455667788;
static pid_t pid;

static long ask(long request, const void* at, const void* data) {
  return syscall(SYS_ptrace, request, pid, at, data);
}

static void registers(const void* from, int known) {
  static const char* const names[] = {"r15",     "r14",      "r13", "r12", "rbp",    "rbx", "r11",
                                      "r10",     "r9",       "r8",  "rax", "rcx",    "rdx", "rsi",
                                      "rdi",     "orig_rax", "rip", "cs",  "eflags", "rsp", "ss",
                                      "fs_base", "gs_base",  "ds",  "es",  "fs",     "gs"};
  const unsigned long* all = from;
  for (int i = 0; i < known; ++i) printf("%s%s=%#lx", i ? ", " : "{", names[i], all[i]);
  printf("}");
}

int main(void) {
  pid = fork();
  if (!pid) {
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    for (;;) syscall(SYS_getpriority, 7, 8, 9);
  }
  waitpid(pid, 0, WUNTRACED);
  struct user_regs_struct all;
  struct iovec v = {&all, 24};
  long value = 0;
  siginfo_t info;

  ask(PTRACE_PEEKDATA, &word, &value);
  printf("ptrace(PTRACE_PEEKDATA, %d, %p, [%#lx]) = 0\n", pid, (void*)&word, word);
  ask(PEEKUSER, (void*)offsetof(struct user_regs_struct, orig_rax), &value);
  printf("ptrace(PTRACE_PEEKUSER, %d, 8*ORIG_RAX, [%#lx]) = 0\n", pid, value);
  ask(PEEKUSER, (void*)(offsetof(struct user, u_debugreg) + 8), &value);
  printf("ptrace(PTRACE_PEEKUSER, %d, offsetof(struct user, u_debugreg)+8, [%s]) = 0\n", pid,
         value ? "?" : "NULL");
  ask(POKEUSER, (void*)4096, (void*)1);
  printf("ptrace(PTRACE_POKEUSER, %d, 0x1000, 0x1) = -1 EIO (%s)\n", pid, strerror(EIO));
  ask(PTRACE_GETREGS, (void*)5, &all);
  printf("ptrace(PTRACE_GETREGS, %d, ", pid), registers(&all, 27), printf(") = 0\n");
  ask(PTRACE_SETREGS, 0, &all);
  printf("ptrace(PTRACE_SETREGS, %d, ", pid), registers(&all, 27), printf(") = 0\n");
  ask(PTRACE_GETREGSET, (void*)NT_PRSTATUS, &v);
  printf("ptrace(PTRACE_GETREGSET, %d, NT_PRSTATUS, {iov_base=", pid), registers(&all, 3);
  printf(", iov_len=24}) = 0\n");
  v.iov_len = sizeof all;
  char state[4096];
  v.iov_base = state, v.iov_len = 80;
  ask(PTRACE_GETREGSET, (void*)NT_X86_XSTATE, &v);
  printf("ptrace(PTRACE_GETREGSET, %d, NT_X86_XSTATE, {iov_base=%p, iov_len=80}) = 0\n", pid,
         (void*)state);
  ask(PTRACE_GETREGSET, (void*)0x99, &v);
  printf(
      "ptrace(PTRACE_GETREGSET, %d, 0x99 /* NT_??? */, {iov_base=%p, iov_len=80}) = "
      "-1 EINVAL (%s)\n",
      pid, (void*)state, strerror(EINVAL));
  ask(PTRACE_SETOPTIONS, 0, (void*)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
  printf("ptrace(PTRACE_SETOPTIONS, %d, NULL, PTRACE_O_TRACESYSGOOD|PTRACE_O_EXITKILL) = 0\n", pid);
  ask(PTRACE_GETSIGINFO, 0, &info);
  printf(
      "ptrace(PTRACE_GETSIGINFO, %d, NULL, {si_signo=SIGSTOP, si_code=SI_TKILL, si_pid=%d, "
      "si_uid=%d}) = 0\n",
      pid, pid, getuid());
  unsigned long mask = 0;
  ask(PTRACE_GETSIGMASK, (void*)8, &mask);
  printf("ptrace(PTRACE_GETSIGMASK, %d, 8, []) = 0\n", pid);
  mask = 1 << (SIGUSR1 - 1);
  ask(PTRACE_SETSIGMASK, (void*)8, &mask);
  printf("ptrace(PTRACE_SETSIGMASK, %d, 8, [USR1]) = 0\n", pid);
  struct {
    unsigned long off;
    unsigned flags, nr;
  } peek = {0, 1, 2};
  ask(PTRACE_PEEKSIGINFO, &peek, &info);
  printf("ptrace(PTRACE_PEEKSIGINFO, %d, {off=0, flags=PTRACE_PEEKSIGINFO_SHARED, nr=2}, []) = 0\n",
         pid);
  ask(PTRACE_SYSCALL, 0, 0);
  printf("ptrace(PTRACE_SYSCALL, %d, NULL, 0) = 0\n", pid);
  int stops = 0;
  for (int status; stops < 20; ++stops) {
    waitpid(pid, &status, 0);
    ask(PTRACE_GETREGS, 0, &all);
    printf("ptrace(PTRACE_GETREGS, %d, ", pid), registers(&all, 27), printf(") = 0\n");
    if (all.orig_rax == SYS_getpriority) break;
    ask(PTRACE_SYSCALL, 0, 0);
    printf("ptrace(PTRACE_SYSCALL, %d, NULL, 0) = 0\n", pid);
  }
  struct ptrace_syscall_info stop;
  const long filled = ask(PTRACE_GET_SYSCALL_INFO, (void*)sizeof stop, &stop);
  printf(
      "ptrace(PTRACE_GET_SYSCALL_INFO, %d, %zu, {op=PTRACE_SYSCALL_INFO_ENTRY, "
      "arch=AUDIT_ARCH_X86_64, instruction_pointer=%#lx, stack_pointer=%#lx, "
      "entry={nr=__NR_getpriority, args=[0x7, 0x8, 0x9, %#lx, %#lx, %#lx]}}) = %ld\n",
      pid, sizeof stop, (long)stop.instruction_pointer, (long)stop.stack_pointer,
      (long)stop.entry.args[3], (long)stop.entry.args[4], (long)stop.entry.args[5], filled);
  ask(PTRACE_DETACH, 0, (void*)SIGKILL);
  printf("ptrace(PTRACE_DETACH, %d, NULL, SIGKILL) = 0\n", pid);
  waitpid(pid, 0, 0);
  ask(PTRACE_ATTACH, 0, 0);
  printf("ptrace(PTRACE_ATTACH, %d) = -1 ESRCH (%s)\n", pid, strerror(ESRCH));
  return 0;
}
