// Hazard 8, and 37: the blocked, ignored and caught signals that /proc/self/status shows.
#include "guest.h"

static void show(const char* when) {
  char line[256];
  FILE* file = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, "Sig", 3) || !strncmp(line, "Shd", 3)) {
      line[strcspn(line, "\n")] = 0;
      if (strncmp(line, "SigQ", 4)) say("%s %s", when, line);
    }
  fclose(file);
}

static void nothing(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
}

int main(void) {
  show("start:");
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  signal(SIGHUP, SIG_IGN);
  handle(SIGUSR2, nothing, 0);
  show("then:");
  return 0;
}
