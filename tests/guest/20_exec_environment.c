// Hazard 20: the child of an exec counts its environment: exactly what was given, be it empty,
// NULL, read-only or in an odd order.
#include <libgen.h>
#include <limits.h>
#include <sys/mman.h>
#include "guest.h"

static char path[PATH_MAX + 40];
static char* argv[] = {(char*)"echo", (char*)"x", NULL};
static char** given;
static void run(void) {
  raw(SYS_execve, path, argv, given);
  _exit(90);
}
static void run_libc(void) {
  execve(path, argv, given);
  _exit(90);
}

int main(void) {
  char self[PATH_MAX] = "";
  must(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  snprintf(path, sizeof path, "%s/children/echo_dynamic", dirname(self));
  static char* none[] = {NULL};
  static char* some[] = {
      (char*)"Z=26", (char*)"A=1", (char*)"EMPTY=", (char*)"NOEQUALS", (char*)"A=2", NULL};
  char** frozen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  frozen[0] = strcpy((char*)frozen + 2048, "FROZEN=1");
  mprotect(frozen, 4096, PROT_READ);
  given = none;
  in_child("empty", run);
  in_child("empty, libc", run_libc);
  given = some;
  in_child("some", run);
  in_child("some, libc", run_libc);
  given = frozen;
  in_child("read-only", run);
  given = NULL;
  in_child("NULL", run);
  char* large[3001];
  static char words[3000][16];
  for (int i = 0; i < 3000; i++) sprintf(large[i] = words[i], "W%d=%d", i, i);
  large[3000] = NULL;
  given = large;
  strcpy(path, "/bin/sh");
  static char* count[] = {(char*)"sh", (char*)"-c", (char*)"env | grep -c ^W", NULL};
  pid_t pid = fork();
  if (pid == 0) {
    execve(path, count, large);
    _exit(90);
  }
  int status;
  waitpid(pid, &status, 0);
  say("large: %s", ended(status));
  return 0;
}
