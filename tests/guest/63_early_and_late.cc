// Hazard 63: calls made before main and after it: in an IFUNC resolver, constructors of all orders,
// destructors of threads, atexit, destructors, .fini_array.
#include <pthread.h>
#include <atomic>
#include "guest.h"

extern "C" {
static long answer() { return raw(SYS_getpid); }
// It runs while the program is being relocated: nothing of libc may be used yet.
static long (*resolve(void))() {
  return raw(SYS_getppid) > 0 && raw(SYS_close, -1) == -EBADF ? answer : nullptr;
}
long resolved() __attribute__((ifunc("resolve")));
}
__attribute__((constructor(101))) static void first() {
  say("first constructor %d", raw(SYS_getpid) == getpid());
}
__attribute__((constructor)) static void second() {
  say("constructor %d", raw(SYS_getpid) == getpid());
}
__attribute__((destructor)) static void last() {
  say("destructor %d", raw(SYS_getpid) == getpid());
}
__attribute__((destructor(101))) static void very_last() {
  say("last destructor %d", raw(SYS_getpid) == getpid());
}

struct Global {
  Global() { say("global made %d", getppid() > 0); }
  ~Global() { say("global gone %d", getppid() > 0); }
} global;
struct Local {
  ~Local() { say("thread local gone %d", raw(SYS_gettid) == gettid()); }
  int used = 0;
};
thread_local Local local;
static pthread_key_t key;
static void key_gone(void*) { say("key gone %d", raw(SYS_gettid) == gettid()); }
static void* work(void*) {
  local.used++;
  pthread_setspecific(key, &key);
  return nullptr;
}

int main() {
  pthread_key_create(&key, key_gone);
  local.used++;
  say("resolved %d", resolved() == getpid());
  pthread_t thread;
  pthread_create(&thread, nullptr, work, nullptr);
  pthread_join(thread, nullptr);
  atexit([] { say("at exit %d", getppid() > 0); });
  on_exit([](int status, void*) { say("on exit %d", status); }, nullptr);
  return 0;
}
