// Hazard 12, further: threads and children that are born under a filter that lets nobody trap their
// calls, as Chromium's renderers are. Their masks, handlers and alternate stacks are all their own.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "guest.h"

static void allow_no_trap(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 33),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static unsigned long mask_now(void) {
  unsigned long mask = 0;
  must(raw(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8) == 0);
  return mask;
}
static void block(int how, int number) {
  unsigned long set = 1ul << (number - 1);
  must(raw(SYS_rt_sigprocmask, how, &set, NULL, 8) == 0);
}

static __thread volatile unsigned long seen_mask;
static __thread volatile int seen, on_other_stack;
static char other_stack[65536];
static void look(int number, siginfo_t* info, void* context) {
  char here;
  seen = number, seen_mask = mask_now();
  on_other_stack = &here >= other_stack && &here < other_stack + sizeof other_stack;
  if (number == SIGSYS && info->si_code == 1 /* SYS_SECCOMP */) {
    greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
    regs[REG_RAX] = regs[REG_RDI] * 100 + 6;
  }
}
static void install(int number, int flags, unsigned long mask) {
  struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | flags};
  memcpy(&action.sa_mask, &mask, sizeof mask);
  must(sigaction(number, &action, NULL) == 0);
}
static void tell(const char* what) {
  say("%s: %d, mask %lx within, %lx behind, other stack %d", what, seen, seen_mask, mask_now(),
      on_other_stack);
  seen = 0, seen_mask = 0;
}

static sigjmp_buf back;
static void jump(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  siglongjmp(back, number);
}

static void* life(void* unused) {
  say("born with mask %lx", mask_now());
  say("emulated %ld", raw(SYS_getpriority, 5));
  tell("SIGSYS");
  say("by libc %ld", syscall(SYS_getpriority, 7));
  tell("SIGSYS");
  raw(SYS_tgkill, getpid(), gettid(), SIGUSR1);
  tell("SIGUSR1");
  raw(SYS_tgkill, getpid(), gettid(), SIGBUS);
  tell("SIGBUS");
  block(SIG_BLOCK, SIGBUS);
  block(SIG_BLOCK, SIGUSR1);
  raw(SYS_tgkill, getpid(), gettid(), SIGBUS);
  raw(SYS_tgkill, getpid(), gettid(), SIGUSR1);
  tell("blocked");
  block(SIG_UNBLOCK, SIGBUS);
  tell("SIGBUS unblocked");
  block(SIG_UNBLOCK, SIGUSR1);
  tell("SIGUSR1 unblocked");
  stack_t own = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, now;
  must(sigaltstack(NULL, &now) == 0);
  say("alternate stack %d, %zu bytes", now.ss_flags, now.ss_size);
  must(sigaltstack(&own, NULL) == 0);
  raw(SYS_tgkill, getpid(), gettid(), SIGUSR1);
  tell("SIGUSR1, not asked onto it");
  raw(SYS_tgkill, getpid(), gettid(), SIGUSR2);
  tell("SIGUSR2, asked onto it");
  must(sigaltstack(NULL, &now) == 0);
  say("alternate stack %d, %zu bytes, mine %d", now.ss_flags, now.ss_size,
      now.ss_sp == other_stack);
  int number = sigsetjmp(back, 1);
  if (!number) *(volatile int*)8 = 1;
  say("jumped out of %d, mask %lx", number, mask_now());
  return unused;
}

static void prepare(void) {
  install(SIGSYS, SA_NODEFER, 0);
  install(SIGUSR1, 0, 1ul << (SIGTERM - 1));
  install(SIGUSR2, SA_ONSTACK, 1ul << (SIGSEGV - 1));
  install(SIGBUS, SA_RESTART, 0);
  handle(SIGSEGV, jump, 0);
  allow_no_trap();
}
static void in_thread(void) {
  prepare();
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, life, NULL) == 0 && pthread_join(thread, NULL) == 0);
    say("the first one's %ld", raw(SYS_getpriority, 8));
    block(SIG_BLOCK, i ? SIGSEGV : SIGUSR2);  // the next inherits it
  }
}
// One that libc does not know of, on the thread-local memory of the first, which waits meanwhile.
static char bare_stack[256 * 1024];
static volatile int bare_end;
static int bare_life(void* unused) {
  life(unused);
  raw(SYS_exit, 0);
  return 0;
}
static void in_bare_thread(void) {
  prepare();
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
  for (int i = 0; i < 2; i++) {
    bare_end = -1;
    must(clone(bare_life, bare_stack + sizeof bare_stack, flags, NULL, NULL, NULL, &bare_end) > 0);
    for (int end; (end = bare_end) != 0;) raw(SYS_futex, &bare_end, 0, end, 0, 0, 0);
    say("the first one's %ld", raw(SYS_getpriority, 8));
    block(SIG_BLOCK, i ? SIGSEGV : SIGUSR2);
  }
}
static void in_fork(void) {
  prepare();
  int status;
  pid_t child = fork();
  if (!child) life(NULL), exit(7);
  must(waitpid(child, &status, 0) == child);
  say("child %s", ended(status));
}

// Where nobody handles it, each kills by its own name.
static int deadly;
static void* die(void* unused) {
  if (deadly == SIGSYS) raw(SYS_getpriority, 1);
  if (deadly == SIGSEGV) *(volatile int*)8 = 1;
  raw(SYS_tgkill, getpid(), gettid(), deadly == SIGABRT ? SIGSEGV : SIGBUS);
  say("alive");
  return unused;
}
static void dies_in_thread(void) {
  allow_no_trap();
  pthread_t thread;
  must(pthread_create(&thread, NULL, die, NULL) == 0 && pthread_join(thread, NULL) == 0);
}
static void dies_in_fork(void) {
  allow_no_trap();
  int status;
  pid_t child = fork();
  if (!child) die(NULL), exit(7);
  must(waitpid(child, &status, 0) == child);
  say("child %s", ended(status));
}

static void* nothing(void* unused) { return unused; }
static void many(void) {
  allow_no_trap();
  pthread_t thread;
  for (int i = 0; i < 3000; i++)
    must(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
  say("3000 threads");
}

int main(void) {
  in_child("in a thread", in_thread);
  in_child("in a bare thread", in_bare_thread);
  in_child("in a fork", in_fork);
  const int ways[] = {SIGSYS, SIGSEGV, SIGABRT, SIGBUS};
  for (int i = 0; i < 4; i++) {
    deadly = ways[i];
    in_child("dies in a thread", dies_in_thread);
    in_child("dies in a fork", dies_in_fork);
  }
  in_child("many", many);
  return 0;
}
