// Hazard 77: membarrier knows what a process has registered for; we register for ourselves.
#include <pthread.h>

#include "guest.h"

enum {
  QUERY = 0,
  GLOBAL = 1,
  GLOBAL_EXPEDITED = 2,
  REGISTER_GLOBAL = 4,
  PRIVATE = 8,
  REGISTER_PRIVATE = 16,
  SYNC_CORE = 32,
  REGISTER_SYNC_CORE = 64,
  RSEQ = 128,
  REGISTER_RSEQ = 256,
  REGISTRATIONS = 512,
};

static void ask(const char* name, int command) {
  say("%s: %ld", name, raw(SYS_membarrier, command, 0, 0));
}

static void all(const char* when) {
  say("%s", when);
  ask("query", QUERY);
  ask("global", GLOBAL);
  ask("global expedited", GLOBAL_EXPEDITED);
  ask("private", PRIVATE);
  say("private, bad flags: %ld", raw(SYS_membarrier, PRIVATE, 77, 0));
  ask("sync core", SYNC_CORE);
  ask("rseq", RSEQ);
  ask("registrations", REGISTRATIONS);
}

static void* in_thread(void* data) {
  all(data);
  return NULL;
}

static void child_asks(const char* when) {
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    all(when);
    _exit(0);
  }
  must(waitpid(child, NULL, 0) == child);
}

int main(void) {
  pthread_t thread;
  all("first");
  must(pthread_create(&thread, NULL, in_thread, "in a thread") == 0 &&
       pthread_join(thread, NULL) == 0);
  child_asks("in a child");
  ask("register sync core", REGISTER_SYNC_CORE);
  all("then");
  child_asks("in a child");
  ask("register global", REGISTER_GLOBAL);
  ask("register rseq", REGISTER_RSEQ);
  ask("register private", REGISTER_PRIVATE);
  all("at last");
  child_asks("in a child");
  return 0;
}
