// Hazard 11: a filter that allows so little that no handler could return. What it allows goes on
// working, at rewritten sites and others; what it forbids kills.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "guest.h"

static void install(int by_prctl, unsigned otherwise) {
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 3),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, otherwise),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  if (by_prctl)
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  else
    must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static int by_prctl;
static unsigned otherwise;

static void allowed(void) {
  install(by_prctl, otherwise);
  long good = 0;
  for (int i = 0; i < 100; i++) good += getppid() > 0, good += raw(SYS_getppid) > 0;
  raw(SYS_write, 1, "written\n", 8);
  raw(SYS_exit_group, good == 200 ? 5 : 6);
}
static void forbidden(void) {
  install(by_prctl, otherwise);
  raw(SYS_exit_group, raw(SYS_getuid) == -EPERM ? 7 : 8);
}
// One that the kernel refuses leaves everything as it was.
static void refused(void) {
  struct sock_filter none = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3);
  struct sock_fprog program = {1, &none};
  must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1);
  say("refused, errno %d, %d", errno, raw(SYS_getppid) > 0);
}

int main(void) {
  for (int i = 0; i < 4; i++) {
    by_prctl = i & 1;
    otherwise = i & 2 ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
    in_child("allowed", allowed);
    in_child("forbidden", forbidden);
  }
  in_child("refused", refused);
  return 0;
}
