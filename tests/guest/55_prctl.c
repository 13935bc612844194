// Hazard 55 and 56: undumpable processes, names, death signals, and code that may never be writable
// again.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>
#include "guest.h"

static void* calls(void* right) {
  for (int i = 0; i < 3000; i++) *(long*)right += raw(SYS_gettid) > 0;
  return NULL;
}
static int works(void) {
  pthread_t thread;
  long right = 0;
  if (pthread_create(&thread, NULL, calls, &right) == 0) pthread_join(thread, NULL);
  pid_t pid = fork();
  if (pid == 0) {
    right = 0;
    calls(&right);
    _exit(right == 3000);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return right == 3000 && status == 256;
}
static void undumpable(void) {
  int set = prctl(PR_SET_DUMPABLE, 0);
  say("  set %d, is %d, works %d", set, prctl(PR_GET_DUMPABLE), works());
}
static void deny_write_exec(void) {
  int set = prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0);
  say("  set %d, is %d", set == 0 || errno == EINVAL, set == 0 ? prctl(66, 0, 0, 0, 0) : 1);
  void* library = dlopen("libm.so.6", RTLD_NOW);
  double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
  say("  cos %.1f, works %d", cosine(0), works());
  char* argv[] = {(char*)"true", NULL};
  pid_t pid = fork();
  if (pid == 0) {
    execv("/bin/true", argv);
    _exit(3);
  }
  int status;
  waitpid(pid, &status, 0);
  say("  exec %s", ended(status));
}
static void named(void) {
  char name[17] = "";
  prctl(PR_SET_NAME, "renamed by guest");
  prctl(PR_GET_NAME, name);
  say("  %s, works %d", name, works());
}

int main(void) {
  in_child("undumpable", undumpable);
  in_child("no writable code", deny_write_exec);
  in_child("named", named);
  say("bad %ld %ld %ld", raw(SYS_prctl, 99999), raw(SYS_prctl, PR_SET_NAME, 16),
      raw(SYS_prctl, PR_SET_DUMPABLE, 77));
  return 0;
}
