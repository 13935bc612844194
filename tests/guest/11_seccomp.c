// Hazard 11: the program locks itself up: strict mode, an allow-list that kills, a filter for all
// threads.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include "guest.h"

static void strict(void) {
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  for (int i = 0; i < 500; i++) raw(SYS_write, 1, "", 0);
  raw(SYS_write, 1, "strict\n", 7);
  raw(SYS_exit, 3);
}

static void strict_forbidden(void) {
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  raw(SYS_getppid);
  raw(SYS_exit, 3);
}

static const int allowed[] = {SYS_write,        SYS_exit_group, SYS_exit,
                              SYS_rt_sigreturn, SYS_getpid,     SYS_futex};

static long allow_list(unsigned long flags) {
  enum { n = sizeof allowed / sizeof *allowed };
  struct sock_filter filter[2 * n + 2] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  int at = 1;
  for (int i = 0; i < n; i++) {
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  struct sock_fprog program = {at, filter};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  return raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void list(void) {
  must(allow_list(0) == 0);
  int right = 0;
  for (int i = 0; i < 30000; i++) right += raw(SYS_getpid) == raw(SYS_getpid);
  say("right %d", right);
  _exit(4);
}
static void list_forbidden(void) {
  must(allow_list(0) == 0);
  raw(SYS_getppid);
  _exit(4);
}

// A thread is born by calls that the list does not allow (rseq natively): all are there before it.
static volatile int go, born;
static void* late(void* unused) {
  (void)unused;
  __atomic_fetch_add(&born, 1, __ATOMIC_SEQ_CST);
  while (!go) raw(SYS_getpid);
  for (int i = 0; i < 1000; i++) raw(SYS_getpid);
  return NULL;
}
static void all_threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, late, NULL);
  while (born < 4) {
  }
  long result = allow_list(SECCOMP_FILTER_FLAG_TSYNC);
  go = 1;
  say("tsync %ld", result);
  _exit(5);
}

int main(void) {
  in_child("strict", strict);
  in_child("strict, forbidden", strict_forbidden);
  in_child("list", list);
  in_child("list, forbidden", list_forbidden);
  in_child("all threads", all_threads);
  return 0;
}
