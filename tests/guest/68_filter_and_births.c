// Hazard 11, further: a filter that forbids what only a tracer would ask of the kernel, and life
// that goes on under it: threads and children are born, also while it is installed for all threads;
// much is recorded; signals come; a fault kills by its own name.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <ucontext.h>

#include "guest.h"

static const int never_ours[] = {
    SYS_rt_sigprocmask, SYS_sigaltstack,  SYS_gettid,           SYS_getpid,    SYS_tgkill,
    SYS_prctl,          SYS_pwrite64,     SYS_openat,           SYS_fallocate, SYS_madvise,
    SYS_mmap,           SYS_rt_sigaction, SYS_rt_tgsigqueueinfo};

static long forbid(unsigned flags, unsigned verdict) {
  enum { n = sizeof never_ours / sizeof *never_ours };
  struct sock_filter filter[2 * n + 2] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  int at = 1;
  for (int i = 0; i < n; i++) {
    filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, never_ours[i], 0, 1);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
  }
  filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {at, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1000;
  return raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// Threads with nothing but a stack, which natively make only the calls written here.
static char* stacks;
enum { stack_bytes = 65536, stacks_made = 8 };
static volatile int ends[stacks_made], work_done[stacks_made], calls = 50;
static int bare(void* place) {
  int mine = (int)(long)place;
  for (int i = 0; i < calls; i++) work_done[mine] += raw(SYS_getppid) > 0;
  raw(SYS_exit, 0);
  return 0;
}
static void begin(int place) {
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
  ends[place] = -1;
  int tid = clone(bare, stacks + (place + 1) * stack_bytes, flags, (void*)(long)place, NULL, NULL,
                  &ends[place]);
  if (tid < 0) raw(SYS_exit_group, 77);
}
static void join(int place) {
  for (int seen; (seen = ends[place]) != 0;) raw(SYS_futex, &ends[place], 0, seen, 0, 0, 0);
}
static void make_stacks(void) {
  stacks = mmap(NULL, stack_bytes * stacks_made, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(stacks != MAP_FAILED);
}

static void births(void) {
  make_stacks();
  must(forbid(0, SECCOMP_RET_KILL_PROCESS) == 0);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < stacks_made; i++) begin(i);
    for (int i = 0; i < stacks_made; i++) join(i);
  }
  int sum = 0;
  for (int i = 0; i < stacks_made; i++) sum += work_done[i];
  say("%d calls of threads", sum);
}

// Few calls while others work: what a forbidden drain leaves room for is bounded.
static void rest(void) {
  struct timespec millisecond = {0, 1000000};
  raw(SYS_nanosleep, &millisecond, 0);
}

// One thread bears others all the time; the main thread installs the filter for all.
static volatile int stop, births_so_far;
static void* mother(void* unused) {
  (void)unused;
  while (!stop) {
    for (int i = 0; i < stacks_made; i++) begin(i);
    for (int i = 0; i < stacks_made; i++) join(i);
    births_so_far++;
  }
  return NULL;
}
static void births_meet(void) {
  make_stacks();
  pthread_t thread;
  must(pthread_create(&thread, NULL, mother, NULL) == 0);
  while (births_so_far < 3) sched_yield();
  long result = forbid(SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_RET_KILL_PROCESS);
  if (result) raw(SYS_exit_group, 50);
  int then = births_so_far;
  while (births_so_far < then + 3) rest();
  raw(SYS_exit_group, 9);
}
static void meetings(void) {
  int status, good = 0;
  for (int i = 0; i < 40; i++) {
    pid_t pid = fork();
    if (!pid) births_meet();
    must(waitpid(pid, &status, 0) == pid);
    if (status == 9 << 8)
      good++;
    else
      say("%s", ended(status));
  }
  say("%d of 40", good);
}

// The same with threads that make so many calls that they drain all the time.
static volatile int at_work, finished;
static void* busy(void* unused) {
  (void)unused;
  __atomic_fetch_add(&at_work, 1, __ATOMIC_SEQ_CST);
  char text[200] = "a path that does not exist, and rather long, so that the ring fills soon";
  for (int i = 0; i < 1500 && !stop; i++) access(text, F_OK), births_so_far++;
  __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
  while (!stop) raw(SYS_pause);
  return NULL;
}
static void drains_meet(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) must(pthread_create(&threads[i], NULL, busy, NULL) == 0);
  while (births_so_far < 2000 || at_work < 3) sched_yield();
  if (forbid(SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_RET_KILL_PROCESS)) raw(SYS_exit_group, 50);
  while (finished < 3) rest();
  raw(SYS_exit_group, 9);
}
static void drains(void) {
  int status, good = 0;
  for (int i = 0; i < 3; i++) {
    pid_t pid = fork();
    if (!pid) drains_meet();
    must(waitpid(pid, &status, 0) == pid);
    if (status == 9 << 8)
      good++;
    else
      say("%s", ended(status));
  }
  say("%d of 3", good);
}

static void children(void) {
  int status = 0, sum = 0;
  must(forbid(0, SECCOMP_RET_KILL_PROCESS) == 0);
  for (int i = 0; i < 5; i++) {
    long pid = raw(SYS_clone, SIGCHLD);
    if (!pid) raw(SYS_exit_group, raw(SYS_getppid) > 0 ? 5 : 6);
    raw(SYS_wait4, pid, &status);
    sum += WEXITSTATUS(status);
    pid = raw(SYS_vfork);
    if (!pid) raw(SYS_exit_group, 7);
    raw(SYS_wait4, pid, &status);
    sum += WEXITSTATUS(status);
  }
  say("children %d", sum);
}

// Signals all the time, over whatever we do: much is recorded, drained where it may be, and born.
static volatile int ticks;
static void tick(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  ticks++;
  raw(SYS_getppid);
}
static void under_fire(void) {
  make_stacks();
  handle(SIGALRM, tick, SA_RESTART);
  struct itimerval often = {{0, 300}, {0, 300}};
  must(setitimer(ITIMER_REAL, &often, NULL) == 0);
  must(forbid(0, SECCOMP_RET_KILL_PROCESS) == 0);
  int before = ticks;
  for (int round = 0; round < 10 || ticks < before + 30; round++) {
    for (int i = 0; i < stacks_made; i++) begin(i);
    for (int i = 0; i < 500; i++) raw(SYS_access, "some path that is not here, nor anywhere", 0);
    for (int i = 0; i < stacks_made; i++) join(i);
  }
  raw(SYS_exit_group, 11);
}

static void null_pointer(void) {
  must(forbid(0, SECCOMP_RET_KILL_PROCESS) == 0);
  *(volatile int*)8 = 1;
}
static void trapped_by_default(void) {
  must(forbid(0, SECCOMP_RET_TRAP) == 0);
  raw(SYS_getpid);
  say("not reached");
}
static void errors(void) {
  must(forbid(0, SECCOMP_RET_ERRNO | 42) == 0);
  char byte;
  say("%ld %ld %ld %ld %ld", raw(SYS_getpid), raw(SYS_sigaltstack, 0, 0),
      raw(SYS_rt_sigprocmask, 0, 0, &byte, 8), raw(SYS_prctl, PR_GET_DUMPABLE), raw(SYS_gettid));
  struct sigaction action = {.sa_handler = SIG_IGN};
  must(sigaction(SIGUSR1, &action, NULL) == -1);
  say("sigaction: %d", errno);
  must(sigaction(SIGSEGV, &action, NULL) == -1);
  say("sigaction: %d", errno);
  int status;
  long pid = raw(SYS_fork);
  if (!pid) raw(SYS_exit_group, -raw(SYS_gettid));
  raw(SYS_wait4, pid, &status);
  say("child %s", ended(status));
}
// Calls that a tracer answers itself are the filter's to forbid all the same.
static void emulate(int number, siginfo_t* info, void* context) {
  (void)number;
  ucontext_t* at = context;
  say("SIGSYS: %d, call %d, at the site %d, rax %lld", info->si_code, info->si_syscall,
      (long long)info->si_call_addr == at->uc_mcontext.gregs[REG_RIP],
      at->uc_mcontext.gregs[REG_RAX]);
  at->uc_mcontext.gregs[REG_RAX] = 1234;
}
static void trapped(void) {
  handle(SIGSYS, emulate, 0);
  must(forbid(0, SECCOMP_RET_TRAP) == 0);
  struct sigaction action = {.sa_handler = SIG_IGN};
  say("%ld", raw(SYS_getpid));
  say("%ld", raw(SYS_sigaltstack, 0, 0));
  say("%d", sigaction(SIGUSR1, &action, NULL));
  say("%d", sigaction(SIGSEGV, NULL, &action));
  say("%ld", raw(SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 8));
}
// One that is refused leaves all as it was, and is not in force before it is.
static void refused(void) {
  struct sock_filter none = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3);
  struct sock_fprog program = {1, &none};
  for (int i = 0; i < 100; i++)
    must(raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == -EINVAL);
  pthread_t thread;
  stop = 1;
  must(pthread_create(&thread, NULL, busy, NULL) == 0 && pthread_join(thread, NULL) == 0);
  say("refused");
}

int main(void) {
  in_child("births", births);
  in_child("births meet it", meetings);
  in_child("drains meet it", drains);
  in_child("children", children);
  in_child("under fire", under_fire);
  in_child("null pointer", null_pointer);
  in_child("trapped by default", trapped_by_default);
  in_child("errors", errors);
  in_child("trapped", trapped);
  in_child("refused", refused);
  return 0;
}
