// Hazard 9, further: a signal that we need ourselves comes to a child in its first instructions: it
// is the child's, and no other's that waited for its parent.
#include <sched.h>

#include "guest.h"

static const int numbers[] = {SIGSYS, SIGSEGV, SIGBUS, SIGTERM};

static void at_once(void) {
  int ends[4] = {0}, status;
  for (int i = 0; i < 200; i++) {
    pid_t pid = fork();
    if (!pid)
      for (;;) pause();
    for (int spin = 0; spin < i * 20; spin++) __asm__ volatile("pause");
    must(kill(pid, numbers[i & 3]) == 0 && waitpid(pid, &status, 0) == pid);
    ends[i & 3] += WIFSIGNALED(status) && WTERMSIG(status) == numbers[i & 3];
  }
  say("%d %d %d %d", ends[0], ends[1], ends[2], ends[3]);
}

// What waits for the parent does so for nobody else.
static void not_inherited(void) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) sigaddset(&set, numbers[i]);
  must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  for (int i = 0; i < 3; i++) raise(numbers[i]);
  pid_t pid = fork();
  sigset_t pending;
  must(sigpending(&pending) == 0);
  if (!pid) _exit(sigismember(&pending, SIGSYS) + sigismember(&pending, SIGSEGV) * 2 + 40);
  int status;
  must(waitpid(pid, &status, 0) == pid);
  say("parent %d %d, child %s", sigismember(&pending, SIGSYS), sigismember(&pending, SIGBUS),
      ended(status));
}

int main(void) {
  in_child("at once", at_once);
  in_child("not inherited", not_inherited);
  return 0;
}
