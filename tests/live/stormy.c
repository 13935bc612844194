// What a program can notice of its signals, births and children, checked by itself all the time
// while somebody turns recording on and off in it. Says "fault: …" and ends with status 1 where
// something is not as it left it; until its input ends.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fault(const char* what) {
  char line[300];
  const int n = snprintf(line, sizeof line, "fault: %s, errno %d\n", what, errno);
  if (write(1, line, (size_t)n)) _exit(1);
}

#define CHECK(is) \
  if (!(is)) fault(#is)

enum { stack_bytes = 65536 };
static __thread char* own_stack;
static __thread volatile sig_atomic_t came, jumps;
static __thread sigjmp_buf back;

static int on_own_stack(void) {
  char here;
  return &here >= own_stack && &here < own_stack + stack_bytes;
}

// What a handler that comes between `off` and the thread's next call may find is another one.
static int on_thread_stack(void) {
  char here;
  pthread_attr_t all;
  void* begin;
  size_t bytes;
  pthread_getattr_np(pthread_self(), &all);
  pthread_attr_getstack(&all, &begin, &bytes);
  pthread_attr_destroy(&all);
  return &here >= (char*)begin && &here < (char*)begin + bytes;
}

// SIGUSR1: on the alternate stack, everything else blocked. SIGUSR2: where the thread is; it leaves
// by a jump if the thread wants that.
static void first(int signo, siginfo_t* info, void* context) {
  (void)context;
  const int error = errno;
  sigset_t mask;
  CHECK(signo == SIGUSR1 && info->si_code == SI_TKILL);
  CHECK(!on_thread_stack());
  sigprocmask(SIG_BLOCK, 0, &mask);
  CHECK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGUSR2) && sigismember(&mask, SIGTERM));
  syscall(SYS_getppid);
  ++came;
  errno = error;
}

static void second(int signo, siginfo_t* info, void* context) {
  (void)context, (void)info;
  sigset_t mask;
  CHECK(signo == SIGUSR2 && !on_own_stack());
  sigprocmask(SIG_BLOCK, 0, &mask);
  CHECK(sigismember(&mask, SIGUSR2) && !sigismember(&mask, SIGUSR1));
  ++came;
  if (jumps) siglongjmp(back, 1);
}

static void check_own_view(void) {
  stack_t stack;
  sigset_t mask;
  struct sigaction action;
  CHECK(!sigaltstack(0, &stack) && stack.ss_sp == own_stack && stack.ss_size == stack_bytes);
  CHECK(!sigprocmask(SIG_BLOCK, 0, &mask) && !sigismember(&mask, SIGUSR1) &&
        sigismember(&mask, SIGTERM) && sigismember(&mask, SIGBUS));
  // A call that was on its way while handlers were taken over may see ours, once: a stated limit.
  for (int tries = 0; tries < 2; ++tries)
    if (!sigaction(SIGUSR1, 0, &action) && action.sa_sigaction == first) break;
  CHECK(action.sa_sigaction == first && action.sa_flags & SA_ONSTACK &&
        sigismember(&action.sa_mask, SIGTERM));
  for (int tries = 0; tries < 2; ++tries)
    if (!sigaction(SIGUSR2, 0, &action) && action.sa_sigaction == second) break;
  CHECK(action.sa_sigaction == second && !(action.sa_flags & SA_ONSTACK));
}

static void* signalled(void* unused) {
  sigset_t some;
  own_stack = malloc(stack_bytes);
  const stack_t stack = {.ss_sp = own_stack, .ss_size = stack_bytes};
  sigaltstack(&stack, 0);
  sigemptyset(&some);
  sigaddset(&some, SIGTERM), sigaddset(&some, SIGBUS);
  pthread_sigmask(SIG_SETMASK, &some, 0);
  const int self = (int)syscall(SYS_gettid);
  const struct timespec pause = {0, 300000};
  for (volatile int n = 0;; ++n) {
    const sig_atomic_t before = came;
    syscall(SYS_tgkill, getpid(), self, n & 1 ? SIGUSR1 : SIGUSR2);
    CHECK(came == before + 1);
    check_own_view();
    jumps = 1;
    if (!sigsetjmp(back, 1)) {
      syscall(SYS_tgkill, getpid(), self, SIGUSR2);
      fault("came back where it should not");
    }
    jumps = 0;
    nanosleep(&pause, 0);
    CHECK(syscall(SYS_close, -1) == -1 && errno == EBADF);
  }
  return unused;
}

// All signals blocked, as threads of libraries have them: no fault may be needed of it.
static void* deaf(void* unused) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, 0);
  for (;;) {
    sigset_t now;
    syscall(SYS_getppid);
    sched_yield();
    pthread_sigmask(SIG_SETMASK, 0, &now);
    CHECK(sigismember(&now, SIGSEGV) && sigismember(&now, SIGSYS) && sigismember(&now, SIGUSR1));
  }
  return unused;
}

static void* brief(void* n) {
  syscall(SYS_getppid);
  return n;
}

// Births and children, one after the other.
static void* fertile(void* unused) {
  for (volatile long n = 0;; ++n) {
    pthread_t thread;
    void* result = 0;
    CHECK(!pthread_create(&thread, 0, brief, (void*)(long)n) && !pthread_join(thread, &result));
    CHECK((long)result == n);
    const pid_t child = n % 4 ? fork() : vfork();
    if (child == 0) {
      if (n % 4) syscall(SYS_getppid);
      _exit((int)(n & 63));
    }
    int status = 0;
    pid_t got;
    while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
    CHECK(got == child && WIFEXITED(status) && WEXITSTATUS(status) == (n & 63));
    if (n % 16 == 0) CHECK(system("exit 7") >> 8 == 7);
  }
  return unused;
}

// Keeps its doubles in vector registers across whatever comes.
static void* busy(void* unused) {
  double sum = 0, again = 0;
  for (;;) {
    sum = again = 0;
    for (int i = 1; i < 200000; ++i) sum += 1.0 / i;
    for (int i = 1; i < 200000; ++i) again += 1.0 / i;
    CHECK(sum == again);
  }
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = first,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigfillset(&action.sa_mask);
  sigaction(SIGUSR1, &action, 0);
  action.sa_sigaction = second;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR2, &action, 0);
  void* (*const all[])(void*) = {signalled, signalled, deaf, fertile, busy};
  pthread_t thread;
  for (unsigned i = 0; i < sizeof all / sizeof all[0]; ++i) pthread_create(&thread, 0, all[i], 0);
  char byte;
  puts("ready");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) continue;
  return 0;
}
