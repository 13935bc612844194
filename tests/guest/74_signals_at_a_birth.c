// Signals that wait when a fork, vfork or clone comes back: each reaches its handler, however many
// there are. Their sender is the child, which often runs before its parent goes on.
#include "guest.h"

#include <sys/wait.h>

enum { kinds = 3, rounds = 50 };
static const int numbers[kinds] = {SIGUSR1, SIGUSR2, SIGALRM};
static volatile sig_atomic_t seen[kinds], gone;

static void on_one(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  for (int i = 0; i < kinds; i++)
    if (numbers[i] == number) seen[i]++;
  if (number == SIGCHLD) gone++;
}

static long birth(int how) {
  if (how == 0) return raw(SYS_fork);
  if (how == 1) return fork();
  return raw(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

int main(void) {
  for (int i = 0; i < kinds; i++) handle(numbers[i], on_one, 0);
  handle(SIGCHLD, on_one, 0);
  for (int how = 0; how < 3; how++) {
    for (int round = 0; round < rounds; round++) {
      const pid_t parent = getpid();
      const int before = seen[0];
      const long child = birth(how);
      if (child == 0) {
        for (int i = 0; i < kinds; i++) raw(SYS_kill, parent, numbers[i]);
        _exit(0);
      }
      while (waitpid((pid_t)child, NULL, 0) < 0) {
      }
      for (int wait = 0; wait < 1000 && seen[kinds - 1] == before; wait++) usleep(1000);
    }
    say("how %d: %d %d %d, children %d", how, seen[0], seen[1], seen[2], gone);
  }
  return 0;
}
