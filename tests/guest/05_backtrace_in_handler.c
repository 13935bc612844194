// Hazard 5: backtrace() in a handler that interrupted a blocked call, and the handler's own pc:
// what it sees is the program's own code and libc's, frame by frame.
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <ucontext.h>
#include "guest.h"

static int pipes[2];
static volatile int done;
static pid_t waiting;
static pthread_t main_thread;

static const char* name_of(void* address) {
  Dl_info info;
  if (!dladdr(address, &info) || !info.dli_sname) return "?";
  return info.dli_sname;
}

static void on_usr1(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  void* frames[40];
  int count = backtrace(frames, 40);
  for (int i = 1; i < count; i++) say("  frame %s", name_of(frames[i]));
  ucontext_t* at = context;
  const unsigned char* pc = (void*)at->uc_mcontext.gregs[REG_RIP];
  say("pc in %s, after a syscall instruction: %d", name_of((void*)pc),
      pc[-2] == 0x0f && pc[-1] == 0x05);
  done = 1;
}

__attribute__((noinline)) long level(int depth) {
  char byte;
  long n = depth ? level(depth - 1) : read(pipes[0], &byte, 1);
  __asm__ volatile("" ::: "memory");
  return n;
}

static void* poke(void* number) {
  (void)number;
  wait_until_blocked(getpid(), waiting, SYS_read);
  pthread_kill(main_thread, SIGUSR1);
  return NULL;
}

int main(void) {
  void* warm[4];
  backtrace(warm, 4);
  must(pipe(pipes) == 0);
  handle(SIGUSR1, on_usr1, 0);
  waiting = gettid();
  main_thread = pthread_self();
  pthread_t thread;
  must(pthread_create(&thread, NULL, poke, NULL) == 0);
  long n = level(4);
  say("read %ld errno %d", n, errno);
  pthread_join(thread, NULL);
  return 0;
}
