// A signal sent to the process goes to a thread that takes it: one that does not block it, or that
// waits for it; while all block it, it waits for the process, and interrupts nobody.
#include <pthread.h>

#include "guest.h"

static const int numbers[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGSYS};
static volatile pid_t handled_by;
static volatile int handled;
static pid_t main_thread;
static int up[2], stop[2];

static void on_any(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  handled = number;
  handled_by = gettid();
}

static void* waits(void* data) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, *(int*)data);
  int got = sigwaitinfo(&set, &info);
  say("  waited for %d, code %d, from the parent %d", got, info.si_code, info.si_pid == getppid());
  return NULL;
}

static void* takes(void* data) {
  sigset_t set;
  char byte;
  sigemptyset(&set);
  sigaddset(&set, *(int*)data);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  must(write(up[1], "u", 1) == 1);
  long got;
  while ((got = read(stop[0], &byte, 1)) < 0 && errno == EINTR && !handled) {
  }
  say("  read %ld, handled %d by me %d", got, handled, handled_by == gettid());
  return NULL;
}

// The parent signals once the thread is where it should be, and writes once the signal is taken.
static void one(int number, int how) {
  int go[2];
  must(pipe(go) == 0 && pipe(up) == 0 && pipe(stop) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    pthread_t thread;
    sigset_t all, pending;
    char byte;
    main_thread = getpid();
    handle(number, on_any, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (how < 2) {
      must(pthread_create(&thread, NULL, how ? takes : waits, (void*)&number) == 0);
      if (how) must(read(up[0], &byte, 1) == 1);
    }
    must(write(go[1], "g", 1) == 1);
    if (how < 2) {
      pthread_join(thread, NULL);
    } else {
      const long got = read(stop[0], &byte, 1);
      sigpending(&pending);
      say("  read %ld, pending %d, handled %d", got, sigismember(&pending, number), handled);
      siginfo_t info;
      const struct timespec now = {0, 0};
      if (how == 2) say("  taken %d", sigtimedwait(&all, &info, &now));
      sigprocmask(SIG_UNBLOCK, &all, NULL);
      say("  handled %d by main %d", handled, handled_by == main_thread);
    }
    _exit(0);
  }
  char byte;
  must(read(go[0], &byte, 1) == 1);
  if (how < 2) {
    pid_t thread;
    wait_until_blocked(pid, pid, SYS_futex);
    char command[96];  // the other thread's id
    snprintf(command, sizeof command, "ls /proc/%d/task | grep -v '^%d$'", pid, pid);
    FILE* list = popen(command, "r");
    must(fscanf(list, "%d", &thread) == 1);
    pclose(list);
    wait_until_blocked(pid, thread, how ? SYS_read : SYS_rt_sigtimedwait);
  } else {
    wait_until_blocked(pid, pid, SYS_read);
  }
  kill(pid, number);
  if (how >= 2) {
    kill(pid, number);
    must(write(stop[1], "s", 1) == 1);
  }
  int status;
  must(waitpid(pid, &status, 0) == pid);
  say("signal %d how %d: %s", number, how, ended(status));
  for (int i = 0; i < 2; i++) close(go[i]), close(up[i]), close(stop[i]);
}

int main(void) {
  for (int i = 0; i < 4; i++)
    for (int how = 0; how < 4; how++) one(numbers[i], how);
  return 0;
}
