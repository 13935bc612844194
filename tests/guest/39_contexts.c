// Hazard 39: coroutines that change stacks between calls, handlers that change contexts, a pc
// edited out of a blocked call, nested handlers, masks put in place for the time of a call.
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>
#include <ucontext.h>
#include "guest.h"

static ucontext_t top, routines[3];
static long counts[3];
static void routine(int self) {
  for (int i = 0; i < 1000; i++) {
    counts[self] += raw(SYS_getppid) == getppid();
    swapcontext(&routines[self], self == 2 ? &top : &routines[self + 1]);
  }
  setcontext(&top);
}

static int pipes[2];
static volatile int depth, deepest, handled;
static void nest(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  handled++;
  if (++depth > deepest) deepest = depth;
  raw(SYS_getppid);
  if (number < SIGRTMIN + 8) raise(number + 1);
  getppid();
  depth--;
}

extern char escaped[];
static void edit(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  greg_t* regs = ((ucontext_t*)context)->uc_mcontext.gregs;
  regs[REG_RIP] = (greg_t)escaped;
  regs[REG_RAX] = 1234;
}
static pid_t main_tid;
static pthread_t main_thread;
static void* poke(void* number) {
  wait_until_blocked(getpid(), main_tid, SYS_read);
  pthread_kill(main_thread, (int)(long)number);
  return NULL;
}
__attribute__((noinline)) static long edited_out(void) {
  char byte;
  long result;
  __asm__ volatile("syscall\n neg %%rax\n .globl escaped\n escaped:"
                   : "=a"(result)
                   : "a"(SYS_read), "D"(pipes[0]), "S"(&byte), "d"(1)
                   : "rcx", "r11", "memory", "cc");
  return result;
}

static void count(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  handled++;
}
static volatile int switched;
static ucontext_t from_handler;
static void switch_away(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  switched++;
  swapcontext(&from_handler, &routines[0]);
}
static void visit(void) {
  for (;;) {
    raw(SYS_getppid);
    swapcontext(&routines[0], &from_handler);
  }
}

int main(void) {
  static char stacks[3][65536];
  must(pipe(pipes) == 0);
  for (int i = 0; i < 3; i++) {
    getcontext(&routines[i]);
    routines[i].uc_stack.ss_sp = stacks[i];
    routines[i].uc_stack.ss_size = sizeof stacks[i];
    routines[i].uc_link = &top;
    makecontext(&routines[i], (void (*)(void))routine, 1, i);
  }
  for (int i = 0; i < 1000; i++) swapcontext(&top, &routines[0]);
  say("coroutines %ld %ld %ld", counts[0], counts[1], counts[2]);
  for (int i = 0; i <= 8; i++) handle(SIGRTMIN + i, nest, 0);
  for (int i = 0; i < 50; i++) raise(SIGRTMIN);
  say("nested: handled %d, deepest %d", handled, deepest);
  handle(SIGUSR1, edit, 0);
  main_tid = gettid();
  main_thread = pthread_self();
  pthread_t thread;
  for (int i = 0; i < 20; i++) {
    must(pthread_create(&thread, NULL, poke, (void*)(long)SIGUSR1) == 0);
    long result = edited_out();
    pthread_join(thread, NULL);
    if (result != 1234) say("edited out: %ld", result);
  }
  handle(SIGUSR2, count, 0);
  sigset_t block, none;
  sigemptyset(&none);
  sigemptyset(&block);
  sigaddset(&block, SIGUSR2);
  sigprocmask(SIG_BLOCK, &block, NULL);
  handled = 0;
  int right = 0;
  for (int i = 0; i < 100; i++) {
    kill(getpid(), SIGUSR2);
    right += handled == 2 * i;
    right += sigsuspend(&none) == -1 && errno == EINTR && handled == 2 * i + 1;
    kill(getpid(), SIGUSR2);
    right += ppoll(NULL, 0, NULL, &none) == -1 && errno == EINTR && handled == 2 * i + 2;
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    right += sigismember(&now, SIGUSR2);
  }
  say("masks of a call: %d", right);
  sigaddset(&routines[0].uc_sigmask,
            SIGALRM);  // one handler at a time has a context to come back to
  makecontext(&routines[0], visit, 0);
  handle(SIGALRM, switch_away, SA_RESTART);
  struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  long calls_right = 0, calls = 0;
  while (switched < 500) calls++, calls_right += raw(SYS_getppid) == getppid();
  setitimer(ITIMER_REAL, &never, NULL);
  say("handlers switching contexts: %s, calls right %s", switched >= 500 ? "500" : "fewer",
      calls == calls_right ? "all" : "not all");
  return 0;
}
