// Hazard 78: signals that come while a process ends: in its handlers, in ours (there is none), in
// what the loader runs at last. A handler's return goes on from there, and not from an earlier
// call.
#include <pthread.h>
#include <time.h>

#include "guest.h"

enum { CHILDREN = 150, BURST = 150 };
static volatile int ended_at = -1, at_exit;
static void on_signal(int number) { (void)number; }
static void first(void) { at_exit++; }

static void pause_for(long nanoseconds) {
  const struct timespec time = {0, nanoseconds};
  nanosleep(&time, NULL);
}

static void* sends(void* data) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  const pid_t pid = getpid();
  while (ended_at < 0) pause_for(1000);
  // At first as many as there can be; then fewer and fewer, so that it ends however slow it is.
  for (long sent = 0;; sent++) {
    kill(pid, SIGUSR1);
    if (sent > BURST) pause_for(1000 * (sent - BURST));
  }
  return data;
}

static void child(int number) {
  pthread_t thread;
  struct sigaction action = {.sa_handler = on_signal};
  atexit(first);
  sigaction(SIGUSR1, &action, NULL);
  if (pthread_create(&thread, NULL, sends, NULL) != 0) _exit(98);
  pause_for(200000);
  if (ended_at >= 0) _exit(97);  // been here
  ended_at = number;
  for (volatile int i = 0; i < 400 * (number % 50);) i++;
  exit(7);
}

int main(void) {
  int right = 0;
  for (int i = 0; i < CHILDREN; i++) {
    fflush(stdout);
    const pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) alarm(20), child(i);
    int status = 0;
    must(waitpid(pid, &status, 0) == pid);
    right += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    if (!(WIFEXITED(status) && WEXITSTATUS(status) == 7)) say("child %d: %s", i, ended(status));
  }
  say("%d of %d ended as they meant to", right, CHILDREN);
  return 0;
}
