// Hazard 42: a seccomp filter that checks the instruction pointer sees the program's own address.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include "guest.h"

extern char own_site_end[];
__attribute__((noinline)) static long own(long nr) {
  long result;
  __asm__ volatile("syscall\n.globl own_site_end\nown_site_end:"
                   : "=a"(result)
                   : "a"(nr)
                   : "rcx", "r11", "memory");
  return result;
}

static void filtered(void) {
  unsigned long end = (unsigned long)own_site_end;
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)end, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(end >> 32), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 71),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  for (int i = 0; i < 3; i++)
    say("own site %d, elsewhere %ld", own(SYS_getppid) > 0, raw(SYS_getppid));
}

int main(void) {
  in_child("filter", filtered);
  return 0;
}
