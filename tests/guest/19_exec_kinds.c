// Hazard 19: exec of dynamic, static and static-pie programs and of a script, from the main thread
// and from another; and exec that fails.
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include "guest.h"

static char path[PATH_MAX + 40];
static char* argv[] = {(char*)"echo", (char*)"two words", (char*)"", (char*)"last", NULL};
static char* envp[] = {(char*)"A=1", (char*)"B=", NULL};

static void run(void) {
  execve(path, argv, envp);
  _exit(90);
}
static void* run_in_thread(void* unused) {
  (void)unused;
  run();
  return NULL;
}
static void from_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, run_in_thread, NULL);
  pthread_join(thread, NULL);
}
static void by_descriptor(void) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  raw(SYS_execveat, fd, "", argv, envp, 0x1000 /* AT_EMPTY_PATH */);
  _exit(91);
}
static void after_vfork(void) {
  pid_t pid = vfork();
  if (pid == 0) run();
  int status;
  waitpid(pid, &status, 0);
  _exit(WEXITSTATUS(status));
}

int main(void) {
  char self[PATH_MAX] = "";
  must(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  char* folder = dirname(self);
  static const char* const kinds[] = {"dynamic", "static", "static_pie"};
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/children/echo_%s", folder, kinds[i]);
    say("%s", kinds[i]);
    in_child("  from the main thread", run);
    in_child("  from another thread", from_thread);
    in_child("  by descriptor", by_descriptor);
    in_child("  after vfork", after_vfork);
  }
  int script = open("script", O_CREAT | O_WRONLY, 0700);
  must(write(script, "#!/bin/sh\necho script $# $A $B; exit 5\n", 39) == 39);
  close(script);
  close(open("plain", O_CREAT | O_WRONLY, 0600));
  strcpy(path, "./script");
  in_child("script", run);
  for (int i = 0; i < 100; i++) {
    must(execve("/no/such", argv, envp) == -1 && errno == ENOENT);
    must(execve("/", argv, envp) == -1 && errno == EACCES);
    must(execve("plain", argv, envp) == -1 && errno == EACCES);
    must(raw(SYS_execve, 16, argv, envp) == -EFAULT);
    must(raw(SYS_execve, "./script", 16, envp) == -EFAULT);
    must(raw(SYS_execve, "./script", argv, 16) == -EFAULT);
    must(getppid() > 0);
  }
  int empty = open("empty", O_CREAT | O_WRONLY, 0700);
  must(write(empty,
             "\x7f"
             "EL",
             3) == 3);
  close(empty);
  say("no format %d", execve("./empty", argv, envp) == -1 && errno == ENOEXEC);
  return 0;
}
