// Hazard 5: C++ unwinding through a call: a cancelled thread runs destructors, and a handler that
// interrupted a fault or a blocked call throws.
#include <pthread.h>
#include "guest.h"

static int pipes[2];
static volatile int destroyed;
struct Local {
  ~Local() { destroyed = destroyed + 1; }
};
struct Thrown {
  int number;
};

static pid_t waiting;
static volatile bool ready;

__attribute__((noinline)) static void blocked_deep(int depth) {
  Local local;
  if (depth > 0) {
    blocked_deep(depth - 1);
  } else {
    char byte;
    __atomic_store_n(&waiting, gettid(), __ATOMIC_SEQ_CST);
    ready = true;
    if (read(pipes[0], &byte, 1) != -2) say("read came back");
  }
  __asm__ volatile("");
}

static void* work(void*) {
  blocked_deep(5);
  return nullptr;
}

static void throw_it(int number, siginfo_t*, void*) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  throw Thrown{number};
}

__attribute__((noinline)) static int faulting(volatile int* where) {
  Local local;
  int value = *where;
  raw(SYS_getppid);
  return value;
}

static void* interrupt(void* target) {
  while (!ready) sched_yield();
  wait_until_blocked(getpid(), waiting, SYS_read);
  pthread_kill(*static_cast<pthread_t*>(target), SIGUSR1);
  return nullptr;
}

int main() {
  must(pipe(pipes) == 0);
  pthread_t thread;
  must(pthread_create(&thread, nullptr, work, nullptr) == 0);
  while (!ready) sched_yield();
  wait_until_blocked(getpid(), waiting, SYS_read);
  pthread_cancel(thread);
  void* result;
  pthread_join(thread, &result);
  say("cancelled %d, destroyed %d", result == PTHREAD_CANCELED, destroyed);

  destroyed = 0;
  handle(SIGSEGV, throw_it, 0);
  int caught = 0;
  for (int i = 0; i < 100; i++) {
    try {
      faulting(reinterpret_cast<int*>(16));
    } catch (const Thrown& thrown) {
      caught += thrown.number == SIGSEGV;
    }
  }
  say("segv caught %d, destroyed %d", caught, destroyed);

  handle(SIGUSR1, throw_it, 0);
  pthread_t self = pthread_self();
  for (int i = 0; i < 10; i++) {
    destroyed = 0;
    ready = false;
    must(pthread_create(&thread, nullptr, interrupt, &self) == 0);
    try {
      blocked_deep(7);
    } catch (const Thrown& thrown) {
      say("caught %d out of a blocked read, destroyed %d", thrown.number, destroyed);
    }
    pthread_join(thread, nullptr);
  }
  return 0;
}
