// Hazard 37: what the program sees of itself: threads, children, timers, name, command line, and
// that it may still do what only a lone thread may.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include "guest.h"

static int entries(const char* path) {
  int count = 0;
  DIR* folder = opendir(path);
  for (struct dirent* entry; folder && (entry = readdir(folder));) count += entry->d_name[0] != '.';
  if (folder) closedir(folder);
  return count;
}
static void field(const char* name) {
  char line[300];
  FILE* file = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, name, strlen(name))) {
      line[strcspn(line, "\n")] = 0;
      say("%s", line);
    }
  fclose(file);
}
static void new_user_namespace(void) { _exit(unshare(CLONE_NEWUSER) == 0 ? 50 : errno); }
static void new_pid_namespace(void) {
  if (unshare(CLONE_NEWPID) != 0) _exit(errno);
  pid_t pid = fork();
  if (pid == 0) _exit(getpid() == 1 && raw(SYS_getpid) == 1 ? 51 : 52);
  int status;
  waitpid(pid, &status, 0);
  _exit(WEXITSTATUS(status));
}

int main(int argc, char** argv) {
  say("threads %d", entries("/proc/self/task"));
  say("waiting for nobody: %d, errno %d", (int)waitpid(-1, NULL, WNOHANG), errno);
  struct itimerval timer;
  for (int i = 0; i < 3; i++) {
    getitimer(i, &timer);
    say("timer %d: %ld %ld", i, timer.it_value.tv_sec, timer.it_interval.tv_usec);
  }
  char name[17] = "";
  prctl(PR_GET_NAME, name);
  say("name %s, argc %d, last part %s", name, argc, strrchr(argv[0], '/'));
  char line[300] = "";
  int file = open("/proc/self/cmdline", O_RDONLY);
  long n = read(file, line, sizeof line);
  close(file);
  say("command line is argv: %d", n == (long)strlen(argv[0]) + 1 && !strcmp(line, argv[0]));
  field("Threads");
  field("Name");
  field("NoNewPrivs");
  field("Seccomp:");
  field("CapEff");
  field("Uid");
  say("dumpable %d, keepcaps %d, death signal %d, reaper %d", prctl(PR_GET_DUMPABLE),
      prctl(PR_GET_KEEPCAPS), prctl(PR_GET_PDEATHSIG, &n) == 0 ? (int)n & 0xff : -1,
      prctl(PR_GET_CHILD_SUBREAPER, &n) == 0 ? (int)n & 0xff : -1);
  for (int i = 1; i <= 64; i++) {
    struct sigaction action;
    if (i == 32 || i == 33 || sigaction(i, NULL, &action) != 0) continue;
    if (action.sa_handler != SIG_DFL) say("signal %d is not by default", i);
  }
  struct rlimit limit;
  for (int i = 0; i < 16; i++) {
    getrlimit(i, &limit);
    say("limit %d: %lx %lx", i, limit.rlim_cur, limit.rlim_max);
  }
  stack_t alternate;
  sigaltstack(NULL, &alternate);
  say("alternate stack: flags %d, size %zu", alternate.ss_flags, alternate.ss_size);
  char folder[400];
  say("folder holds %d", entries(getcwd(folder, sizeof folder)));
  in_child("new user namespace", new_user_namespace);
  in_child("new pid namespace", new_pid_namespace);
  return 0;
}
