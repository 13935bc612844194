// shapes N: N times down through functions of many shapes, by a fixed sequence of random numbers:
// with and without frame pointer, with memory of a size known late, with a realigned stack, through
// the C library, a handler on either stack, another thread. At the bottom report() is called.
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "guest.h"

static uint64_t state = 88172645463325252u;
static unsigned next(unsigned below) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (unsigned)(state >> 33) % below;
}

__attribute__((noinline)) static int down(int deep);
#define SHAPE __attribute__((noinline)) static int

SHAPE plain(int deep) { return down(deep) + 1; }

SHAPE many_registers(int deep) {
  volatile int a = next(9), b = next(9), c = next(9);
  const int x = a, y = b, z = c, u = x * y, v = y * z;
  return down(deep) + x * 3 + y * 5 + z * 7 + u * 11 + v;
}

SHAPE late_size(int deep) {
  char* some = alloca(16 + next(900));
  memset(some, deep, 16);
  return down(deep) + some[3];
}

SHAPE large(int deep) {
  volatile char some[20000];
  some[deep] = 1;
  return down(deep) + some[deep];
}

SHAPE realigned(int deep) {
  volatile _Alignas(64) char some[128];
  some[deep] = (char)((uintptr_t)some % 64);
  return down(deep) + some[deep];
}

SHAPE realigned_late(int deep) {
  volatile _Alignas(64) char some[128];
  char* more = alloca(16 + next(100));
  more[0] = some[deep] = (char)((uintptr_t)some % 64);
  return down(deep) + some[deep] + more[0];
}

__attribute__((noinline, optimize("no-omit-frame-pointer"))) static int with_pointer(int deep) {
  return down(deep) + 2;
}

static _Thread_local int kept_deep;
static int compare(const void* a, const void* b) {
  const int deep = kept_deep;
  kept_deep = 0;
  if (deep) down(deep);
  return *(const int*)a - *(const int*)b;
}
SHAPE through_qsort(int deep) {
  int numbers[2] = {2, 1};
  kept_deep = deep;
  qsort(numbers, 2, sizeof *numbers, compare);
  return numbers[0];
}

static volatile sig_atomic_t handler_deep;
static void on_signal(int number) {
  const int deep = handler_deep;
  (void)number;
  handler_deep = 0;
  if (deep) down(deep);
}
SHAPE through_handler(int deep) {
  handler_deep = deep;
  return raise(next(2) ? SIGUSR1 : SIGUSR2);
}
// Not by a call of the program: it may be interrupted anywhere.
SHAPE through_fault(int deep) {
  handler_deep = deep;
  __asm__ volatile("int3");
  return 0;
}

SHAPE by_seven(int a, int b, int c, int d, int e, int f, int g, int deep) {
  return down(deep) + a + b + c + d + e + f + g;
}
SHAPE on_the_stack(int deep) { return by_seven(1, 2, 3, 4, 5, 6, 7, deep) + 1; }

SHAPE down(int deep) {
  if (deep <= 0) return report(), 0;
  static int (*const shapes[])(int) = {plain,        many_registers,  late_size,    large,
                                       realigned,    realigned_late,  with_pointer, through_qsort,
                                       on_the_stack, through_handler, through_fault};
  return shapes[next(sizeof shapes / sizeof *shapes)](deep - 1) + 1;
}

static void* in_thread(void* times) {
  for (long n = (long)times; n > 0; --n) down((int)next(12));
  return NULL;
}

SHAPE with_vfork(void) {
  const pid_t child = vfork();
  if (child == 0) {
    report();
    _exit(0);
  }
  return waitpid(child, NULL, 0) == child;
}

SHAPE with_fork(void) {
  const pid_t child = fork();
  if (child == 0) {
    down(4);
    _exit(0);
  }
  return waitpid(child, NULL, 0) == child;
}

int main(int argc, char** argv) {
  const long times = argc > 1 ? atol(argv[1]) : 10;
  static char alternate[1 << 18];
  const stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
  puts(open_oracle());
  fflush(stdout);
  sigaltstack(&stack, NULL);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTRAP, &action, NULL);
  action.sa_flags |= SA_ONSTACK;
  sigaction(SIGUSR2, &action, NULL);
  in_thread((void*)times);
  pthread_t thread;
  if (pthread_create(&thread, NULL, in_thread, (void*)(times / 4))) return 1;
  pthread_join(thread, NULL);
  for (int n = 0; n < 10; ++n)
    if (with_vfork() + with_fork() != 2) return 1;
  return 0;
}
