// Threads that call all the time, and are interrupted all the time by a handler that calls too,
// while somebody turns recording on and off; one of them faults all the time, and mends it in its
// handler. Says "fault: …" and ends with status 1 where a call did not do its work; until its input
// ends.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { callers = 3, page_bytes = 4096 };
static pthread_t threads[callers];
static long parent;
static volatile int ends;
static __thread long in_handler;
static char* page;

static void check(long got, const char* who) {
  if (got == parent) return;
  dprintf(1, "fault: %s got %ld and not %ld\n", who, got, parent);
  _exit(1);
}

static void on_hail(int number) {
  (void)number;
  in_handler++;
  check(getppid(), "a handler");
  check(syscall(SYS_getppid), "a handler's syscall()");
}

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  if (info->si_addr != page || info->si_code != SEGV_ACCERR) {
    dprintf(1, "fault: at %p, code %d\n", info->si_addr, info->si_code);
    _exit(1);
  }
  mprotect(page, page_bytes, PROT_READ | PROT_WRITE);
}

static void* fault(void* data) {
  while (!ends) {
    mprotect(page, page_bytes, PROT_NONE);
    *(volatile char*)page = 1;
  }
  return data;
}

static void* call(void* data) {
  while (!ends) {
    check(syscall(SYS_getppid), "syscall()");
    check(getppid(), "a call");
  }
  if (!in_handler) {
    dprintf(1, "fault: no signal came\n");
    _exit(1);
  }
  return data;
}

static void* hail(void* data) {
  const struct timespec pause = {0, 20000};
  while (!ends) {
    for (int i = 0; i < callers; i++) pthread_kill(threads[i], SIGUSR1);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
  }
  return data;
}

int main(void) {
  struct sigaction action;
  pthread_t sender;
  char byte;
  parent = getppid();
  memset(&action, 0, sizeof action);
  action.sa_handler = on_hail;
  sigaction(SIGUSR1, &action, NULL);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  page = mmap(NULL, page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < callers; i++)
    if (pthread_create(&threads[i], NULL, i ? call : fault, NULL)) return 2;
  if (pthread_create(&sender, NULL, hail, NULL)) return 2;
  dprintf(1, "ready\n");
  while (read(0, &byte, 1) > 0) {
  }
  ends = 1;
  pthread_join(sender, NULL);
  for (int i = 0; i < callers; i++) pthread_join(threads[i], NULL);
  return 0;
}
