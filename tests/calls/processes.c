#include "say.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

int main(void) {
  fflush(stdout);
  const long child = syscall(SYS_fork);
  if (!child) _exit(9);
  say(child, "fork()");
  int status;
  say(syscall(SYS_wait4, child, &status, 0, NULL),
      "wait4(%ld, [{WIFEXITED(s) && WEXITSTATUS(s) == 9}], 0, NULL)", child);
  fflush(stdout);
  const long other = syscall(SYS_fork);
  if (!other)
    for (;;) pause();
  say(other, "fork()");
  say(syscall(SYS_wait4, other, &status, WNOHANG, NULL), "wait4(%ld, %p, WNOHANG, NULL)", other,
      (void*)&status);
  say(syscall(SYS_kill, other, SIGKILL), "kill(%ld, SIGKILL)", other);
  say(syscall(SYS_wait4, -1, &status, WUNTRACED, NULL),
      "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], WSTOPPED, NULL)");
  say(syscall(SYS_wait4, -1, NULL, 0, NULL), "wait4(-1, NULL, 0, NULL)");
  return 0;
}
