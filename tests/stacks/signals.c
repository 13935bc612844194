// signals HOW: a signal that comes in a known place. kill: sent by itself, within libc; spin: by a
// timer, within a loop without a call; store: by a store to nowhere; leap: by a call to nowhere.
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

typedef void leap_to(void);
static leap_to* volatile nowhere;
static volatile int* volatile no_place;
static volatile int came;

static void come(int number) { came = number; }

__attribute__((noinline)) static int with_kill(int n) {
  signal(SIGUSR1, come);
  return kill(getpid(), SIGUSR1) + n;
}
__attribute__((noinline)) static int with_spin(int n) {
  struct itimerval soon = {{0, 0}, {0, 20000}};
  signal(SIGALRM, come);
  setitimer(ITIMER_REAL, &soon, NULL);
  while (!came) n++;
  return n;
}
__attribute__((noinline)) static int with_store(int n) { return *no_place = n; }
__attribute__((noinline)) static int with_leap(int n) {
  nowhere();
  return n + 1;
}
__attribute__((noinline)) static int middle(const char* how, int n) {
  if (!strcmp(how, "kill")) return with_kill(n) + 1;
  if (!strcmp(how, "spin")) return with_spin(n) + 1;
  if (!strcmp(how, "store")) return with_store(n) + 1;
  return with_leap(n) + 1;
}
__attribute__((noinline)) static int outer(const char* how, int n) {
  return middle(how, n + 1) + 1;
}

int main(int argc, char** argv) { return argc > 1 && outer(argv[1], argc) == 12345; }
