// Calls that tell of processes: their ends, limits, identities, memory.
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "canary.h"

enum { nr_lsm_list_modules = 461 };

static pid_t child(int status) {
  const pid_t pid = fork();
  if (!pid) _exit(status);
  return pid;
}

static void case_wait4(void) {
  const pid_t pid = child(3);
  may(place(1), 4);
  may(place(2), sizeof(struct rusage));
  call(SYS_wait4, pid, place(1), 0L, place(2));
}
static void case_waitid(void) {
  const pid_t pid = child(4);
  may(place(1), 128);
  may(place(2), sizeof(struct rusage));
  call(SYS_waitid, (long)P_PID, pid, place(1), (long)WEXITED, place(2));
}
static void case_getrlimit(void) {
  may(place(1), 16);
  call(SYS_getrlimit, (long)RLIMIT_NOFILE, place(1));
}
static void case_prlimit64(void) {
  may(place(1), 16);
  call(SYS_prlimit64, 0L, (long)RLIMIT_STACK, 0L, place(1));
}
static void three_ids(long number) {
  for (int n = 1; n < 4; ++n) may(place(n), 4);
  call(number, place(1), place(2), place(3));
}
static void case_getresuid(void) { three_ids(SYS_getresuid); }
static void case_getresgid(void) { three_ids(SYS_getresgid); }
static void case_getgroups(void) {
  may(place(1), 4 * 64);
  call(SYS_getgroups, 64L, place(1));
}
static void case_getgroups_count(void) { call(SYS_getgroups, 0L, place(1)); }
static void case_capget(void) {
  struct __user_cap_header_struct* header = place(1);
  *header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, 0};
  may(place(2), 24);
  call(SYS_capget, header, place(2));
}
static void case_capget_asks(void) {  // which version there is
  struct __user_cap_header_struct* header = place(1);
  *header = (struct __user_cap_header_struct){0, 0};
  may(header, 8);
  call(SYS_capget, header, 0L);
}
static void case_sched_getparam(void) {
  may(place(1), 4);
  call(SYS_sched_getparam, 0L, place(1));
}
static void case_sched_getaffinity(void) {
  may(place(1), 128);
  call(SYS_sched_getaffinity, 0L, 128L, place(1));
}
static void case_sched_getattr(void) {
  may(place(1), 56);
  call(SYS_sched_getattr, 0L, place(1), 56L, 0L);
}
static void case_sched_rr_get_interval(void) {
  may(place(1), 16);
  call(SYS_sched_rr_get_interval, 0L, place(1));
}
static void case_getcpu(void) {
  may(place(1), 4);
  may(place(2), 4);
  call(SYS_getcpu, place(1), place(2), 0L);
}
static void case_get_robust_list(void) {
  may(place(1), 8);
  may(place(2), 8);
  call(SYS_get_robust_list, 0L, place(1), place(2));
}
static void case_getrandom(void) {
  may(place(1), 33);
  call(SYS_getrandom, place(1), 33L, 0L);
}
static void case_get_mempolicy(void) {
  may(place(1), 4);
  may(place(2), 8);
  call(SYS_get_mempolicy, place(1), place(2), 64L, 0L, 0L);
}
static void case_move_pages(void) {
  void** pages = place(8);
  pages[0] = place(1), pages[1] = (void*)8;
  may(place(2), 8);
  call(SYS_move_pages, 0L, 2L, pages, 0L, place(2), 0L);
}
static void case_process_vm_readv(void) {
  struct iovec* v = place(8);
  v[0] = (struct iovec){place(1), 5};
  v[1] = (struct iovec){place(2), 20};
  v[2] = (struct iovec){(void*)"what another process has here", 16};
  may(v[0].iov_base, 5), may(v[1].iov_base, 20);
  call(SYS_process_vm_readv, getpid(), v, 2L, v + 2, 1L, 0L);
}
static void case_syslog(void) {
  may(place(1), 100);
  call(SYS_syslog, 3L, place(1), 100L);
}
static void case_keyctl_describe(void) {
  may(place(1), 200);
  call(SYS_keyctl, (long)KEYCTL_DESCRIBE, (long)KEY_SPEC_SESSION_KEYRING, place(1), 200L);
}
static void case_keyctl_capabilities(void) {
  may(place(1), 8);
  call(SYS_keyctl, (long)KEYCTL_CAPABILITIES, place(1), 8L);
}
// Refused, with the size that it should have.
static void case_sched_setattr(void) {
  *(uint32_t*)place(1) = 7;
  may(place(1), 4);
  call(SYS_sched_setattr, 0L, place(1), 0L);
}
static int new_ring(void) {
  static uint32_t setup[30];
  memset(setup, 0, sizeof setup);
  const int ring = (int)syscall(SYS_io_uring_setup, 4, setup);
  if (ring < 0) leave_out("no rings here");
  return ring;
}
static void of_ring(int ring, long what, void* at, long count) {
  if (ring < 0) return;
  call(SYS_io_uring_register, (long)ring, what, at, count);
  close(ring);
}
static void case_ring_operations(void) {
  memset(place(1), 0, 16 + 4 * 8);
  may(place(1), 16 + 4 * 8);
  of_ring(new_ring(), 8 /* IORING_REGISTER_PROBE */, place(1), 4);
}
static void case_ring_workers(void) {
  uint32_t* limits = place(1);
  limits[0] = limits[1] = 0;
  may(limits, 8);
  of_ring(new_ring(), 19 /* IORING_REGISTER_IOWQ_MAX_WORKERS */, limits, 2);
}
static void case_ring_own(void) {
  const int ring = new_ring();
  uint32_t* given = place(1);
  may(given, 16);
  given[0] = ~0u, given[1] = 0, given[2] = (uint32_t)ring, given[3] = 0;
  of_ring(ring, 20 /* IORING_REGISTER_RING_FDS */, given, 1);
}
static void case_lsm_list_modules(void) {
  *(uint32_t*)place(2) = 64;
  may(place(1), 64);
  may(place(2), 4);
  call(nr_lsm_list_modules, place(1), place(2), 0L);
}

// --- prctl and its like
static void of_prctl(long what, size_t bytes) {
  may(place(1), bytes);
  call(SYS_prctl, what, place(1), 0L, 0L, 0L);
}
static void case_prctl_get_name(void) { of_prctl(PR_GET_NAME, 16); }
static void case_prctl_get_pdeathsig(void) { of_prctl(PR_GET_PDEATHSIG, 4); }
static void case_prctl_get_tsc(void) { of_prctl(PR_GET_TSC, 4); }
static void case_prctl_get_subreaper(void) { of_prctl(PR_GET_CHILD_SUBREAPER, 4); }
static void case_prctl_get_tid_address(void) { of_prctl(PR_GET_TID_ADDRESS, 8); }
static void case_arch_prctl(void) {
  may(place(1), 8);
  call(SYS_arch_prctl, 0x1003L, place(1));  // ARCH_GET_FS
}

// --- a child that is looked at
static pid_t stopped(void) {
  const pid_t pid = fork();
  if (!pid) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(pid, 0, WUNTRACED);
  return pid;
}
static void of_ptrace(long request, long address, void* data, size_t bytes) {
  const pid_t pid = stopped();
  may(data, bytes);
  call(SYS_ptrace, request, pid, address, data);
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
}
static void case_ptrace_peek(void) { of_ptrace(PTRACE_PEEKDATA, (long)place(1), place(2), 8); }
static void case_ptrace_getregs(void) { of_ptrace(PTRACE_GETREGS, 0, place(2), 27 * 8); }
static void case_ptrace_getsiginfo(void) { of_ptrace(PTRACE_GETSIGINFO, 0, place(2), 128); }
static void case_ptrace_getregset(void) {
  struct iovec* v = place(3);
  *v = (struct iovec){place(2), 27 * 8};
  may(place(2), 27 * 8);
  of_ptrace(PTRACE_GETREGSET, 1, v, sizeof *v);
}
static void case_clone_parent_settid(void) {
  may(place(1), 4);
  const long flags = CLONE_PARENT_SETTID | SIGCHLD;
  const long pid = call(SYS_clone, flags, 0L, place(1), 0L, 0L);
  if (!pid) _exit(0);
  waitpid((pid_t)pid, 0, 0);
}

#define CASE(name) \
  { #name, case_##name }
const struct Named process_cases[] = {
    CASE(wait4),
    CASE(waitid),
    CASE(getrlimit),
    CASE(prlimit64),
    CASE(getresuid),
    CASE(getresgid),
    CASE(getgroups),
    CASE(getgroups_count),
    CASE(capget),
    CASE(capget_asks),
    CASE(sched_getparam),
    CASE(sched_getaffinity),
    CASE(sched_getattr),
    CASE(sched_rr_get_interval),
    CASE(getcpu),
    CASE(get_robust_list),
    CASE(getrandom),
    CASE(get_mempolicy),
    CASE(move_pages),
    CASE(process_vm_readv),
    CASE(syslog),
    CASE(keyctl_describe),
    CASE(keyctl_capabilities),
    CASE(sched_setattr),
    CASE(ring_operations),
    CASE(ring_workers),
    CASE(ring_own),
    CASE(lsm_list_modules),
    CASE(prctl_get_name),
    CASE(prctl_get_pdeathsig),
    CASE(prctl_get_tsc),
    CASE(prctl_get_subreaper),
    CASE(prctl_get_tid_address),
    CASE(arch_prctl),
    CASE(ptrace_peek),
    CASE(ptrace_getregs),
    CASE(ptrace_getsiginfo),
    CASE(ptrace_getregset),
    CASE(clone_parent_settid),
    {0, 0},
};
