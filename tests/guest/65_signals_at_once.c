// Signals that come together: several pending when a process goes on, sent while another is being
// delivered, sent to a process that forks. Each handler runs once, in the kernel's order, on the
// registers and the stack that are its own.
#include "guest.h"

static const int numbers[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGSYS, SIGUSR2, 37};
enum { kinds = sizeof numbers / sizeof *numbers };
static volatile int seen[kinds], order[64], ordered;
static volatile sig_atomic_t done;

static void on_any(int number, siginfo_t* info, void* context) {
  (void)context;
  for (int i = 0; i < kinds; i++)
    if (numbers[i] == number) seen[i]++;
  if (ordered < 64)
    order[ordered++] = number * 1000 + info->si_code * 10 + (info->si_value.sival_int == 5);
  raw(SYS_getppid);
  if (number == SIGUSR2) done = 1;
}

static void ready(void) {
  for (int i = 0; i < kinds; i++) handle(numbers[i], on_any, 0);
}

static void all_at_once(int how) {
  int up[2];
  must(pipe(up) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    ready();
    must(write(up[1], "u", 1) == 1);
    while (!done) {
      if (how == 0) getppid();
      if (how == 1) raw(SYS_getppid);
      if (how == 2) pause();
    }
    say("how %d:", how);
    for (int i = 0; i < ordered; i++) say("  signal %d", order[i]);
    _exit(0);
  }
  char byte;
  must(read(up[0], &byte, 1) == 1);
  int status;
  if (how == 2) wait_until_blocked(pid, pid, SYS_pause);
  kill(pid, SIGSTOP);
  must(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
  for (int i = 0; i < kinds; i++) sigqueue(pid, numbers[i], (union sigval){.sival_int = 5});
  kill(pid, SIGCONT);
  must(waitpid(pid, &status, 0) == pid);
  say("at once: %s", ended(status));
  close(up[0]), close(up[1]);
}

// A storm from outside while the process makes calls, takes timer signals and forks. Its own sums
// must hold, and each child must be born once.
static void storm(int forks) {
  int up[2];
  must(pipe(up) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    ready();
    must(write(up[1], "u", 1) == 1);
    const pid_t parent = getppid();
    int children = 0, wrong = 0;
    for (int i = 0; i < (forks ? 60 : 20000); i++) {
      if (getppid() != parent || raw(SYS_getppid) != parent) wrong++;
      if (!forks) continue;
      pid_t child = fork();
      if (child == 0) _exit(3);
      children++;
      int status;
      pid_t got;
      while ((got = wait4(-1, &status, 0, NULL)) < 0 && errno == EINTR) {
      }
      if (got != child || !WIFEXITED(status) || WEXITSTATUS(status) != 3) wrong++;
    }
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    int blocked = 0;
    for (int i = 1; i < 64; i++) blocked += sigismember(&mask, i);
    if (wait4(-1, NULL, 0, NULL) != -1) wrong++;
    say("children %d, wrong %d, blocked %d", children, wrong, blocked);
    _exit(0);
  }
  char byte;
  must(read(up[0], &byte, 1) == 1);
  int status;
  for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
    kill(pid, numbers[i % 4]);
    if (i % 16 == 0) usleep(200);
  }
  say("storm: %s", ended(status));
  close(up[0]), close(up[1]);
}

int main(void) {
  for (int how = 0; how < 3; how++) all_at_once(how);
  storm(0);
  storm(1);
  return 0;
}
