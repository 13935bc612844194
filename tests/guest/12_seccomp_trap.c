// Hazard 12: a sandbox that emulates calls from its SIGSYS handler, with the checks that Chromium's
// makes: the context's rip is si_call_addr, rax is the number, the arguments are there.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include "guest.h"

static volatile int checks, handled;
static volatile char* last;

static void on_sys(int number, siginfo_t* info, void* context) {
  greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
  handled++;
  checks += number == SIGSYS && info->si_code == 1 /* SYS_SECCOMP */;
  checks += (long)info->si_call_addr == regs[REG_RIP];
  checks += regs[REG_RAX] == info->si_syscall;
  checks += info->si_arch == AUDIT_ARCH_X86_64;
  checks += info->si_errno == 33;
  last = info->si_call_addr;
  regs[REG_RAX] = regs[REG_RDI] * 100 + regs[REG_R9];
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)

static void sandboxed(void) {
  struct sock_filter filter[] = {LOAD(nr),
                                 IS(SYS_getpriority, 0, 1),
                                 ANSWER(SECCOMP_RET_TRAP | 33),
                                 IS(SYS_getpgid, 0, 1),
                                 ANSWER(SECCOMP_RET_ERRNO | 77),
                                 IS(SYS_lseek, 0, 3),
                                 LOAD(args[2]),
                                 IS(9, 0, 1),
                                 ANSWER(SECCOMP_RET_ERRNO | 5),
                                 ANSWER(SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  handle(SIGSYS, on_sys, 0);
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  long right = 0;
  for (long i = 0; i < 300; i++) right += raw(SYS_getpriority, i, 2, 3, 4, 5, 6) == i * 100 + 6;
  say("emulated %ld, handled %d, checks %d", right, handled, checks);
  say("after a syscall instruction %d", last[-2] == 0x0f && last[-1] == 0x05);
  say("through libc %d", syscall(SYS_getpriority, 7, 0, 0, 0, 0, 8) == 708);
  say("errno %ld, by argument %ld, else %ld", raw(SYS_getpgid, 0), raw(SYS_lseek, 999, 0, 9),
      raw(SYS_lseek, 999, 0, 0));
  errno = 0;
  say("libc's errno %d %d", (int)getpgid(0), errno);
}

int main(void) {
  in_child("sandbox", sandboxed);
  return 0;
}
