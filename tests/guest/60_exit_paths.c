// Hazard 60: _exit in a handler, exit_group while threads make calls, a thread that ends by the
// bare call while it holds a robust mutex.
#include <pthread.h>
#include "guest.h"

static void leave_now(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  _exit(61);
}
static void from_handler(void) {
  handle(SIGALRM, leave_now, 0);
  ualarm(2000, 0);
  for (;;) raw(SYS_getppid), getppid();
}
static void* busy(void* unused) {
  (void)unused;
  for (;;) raw(SYS_getppid), getppid();
  return NULL;
}
static void among_threads(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (int i = 0; i < 50; i++) must(pthread_create(&thread, &attributes, busy, NULL) == 0);
  raw(SYS_exit_group, 62);
}
static pthread_mutex_t mutex;
static void* hold_and_go(void* unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  raw(SYS_exit, 5);
  return NULL;
}
static void robust(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, hold_and_go, NULL) == 0);
    pthread_join(thread, NULL);
    int got = pthread_mutex_lock(&mutex);
    if (got != EOWNERDEAD) say("  locked with %d", got);
    pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
  }
  _exit(63);
}
static void said(void) { say("  at exit"); }
static void plain(void) {
  atexit(said);
  exit(64);
}

int main(void) {
  for (int i = 0; i < 5; i++) in_child("handler", from_handler);
  for (int i = 0; i < 5; i++) in_child("threads", among_threads);
  in_child("robust", robust);
  in_child("plain", plain);
  return 0;
}
