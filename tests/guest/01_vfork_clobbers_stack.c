// Hazard 1: a vfork child shares its parent's stack. It overwrites all below it and makes calls;
// the parent's return address and locals must survive, by libc's vfork and by the bare instruction.
#include "guest.h"

__attribute__((noinline)) static void scribble(void) {
  volatile char waste[16384];
  for (size_t i = 0; i < sizeof waste; i++) waste[i] = (char)0xa5;
  for (int i = 0; i < 20; i++) raw(SYS_getppid);
}

__attribute__((noinline)) static int libc_round(int seed) {
  volatile long locals[8];
  for (int i = 0; i < 8; i++) locals[i] = seed * 1000 + i;
  pid_t pid = vfork();
  if (pid == 0) {
    scribble();
    getppid();
    _exit(seed & 63);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != (seed & 63)) return 0;
  for (int i = 0; i < 8; i++)
    if (locals[i] != seed * 1000 + i) return 0;
  return 1;
}

__attribute__((noinline)) static int raw_round(int seed) {
  volatile long locals[8];
  for (int i = 0; i < 8; i++) locals[i] = seed * 1000 + i;
  long pid = raw(SYS_vfork);
  if (pid == 0) {
    scribble();
    raw(SYS_exit_group, seed & 63);
  }
  int status = 0;
  if (raw(SYS_wait4, pid, &status, 0, 0) != pid || WEXITSTATUS(status) != (seed & 63)) return 0;
  for (int i = 0; i < 8; i++)
    if (locals[i] != seed * 1000 + i) return 0;
  return 1;
}

__attribute__((noinline)) static int exec_round(void) {
  char* const argv[] = {(char*)"true", NULL};
  pid_t pid = vfork();
  if (pid == 0) {
    execv("/nothing/there", argv);
    execv("/bin/true", argv);
    _exit(9);
  }
  int status = 0;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void) {
  int libc = 0, bare = 0, exec = 0;
  for (int i = 0; i < 200; i++) libc += libc_round(i), bare += raw_round(i);
  for (int i = 0; i < 20; i++) exec += exec_round();
  say("libc %d, bare %d, exec %d", libc, bare, exec);
  return 0;
}
