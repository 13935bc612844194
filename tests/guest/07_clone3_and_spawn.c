// Hazard 7: clone3 in its forms, its errors, and posix_spawn.
#include <fcntl.h>
#include <linux/sched.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include "clone3_onto.h"
#include "guest.h"

#ifndef CLONE_VM
#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000
#endif
extern char** environ;
static volatile int order;

static int child(void* value) {
  order = order * 10 + 1;
  raw(SYS_getppid);
  return (int)(long)value;
}

int main(void) {
  char* stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 20; i++) {
    int pidfd = -1, parent_tid = 0;
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)stack,
                              .stack_size = 65536,
                              .pidfd = (uintptr_t)&pidfd,
                              .parent_tid = (uintptr_t)&parent_tid};
    order = 0;
    long pid = clone3_onto(&args, sizeof args, child, (void*)(long)(i + 3));
    order = order * 10 + 2;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int got = waitid(P_PIDFD, pidfd, &info, WEXITED);
    say("order %d, tid %d, waited %d, child %d, code %d, status %d", order, parent_tid == pid, got,
        info.si_pid == pid, info.si_code, info.si_status);
    close(pidfd);
  }
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.exit_signal = SIGCHLD;
  for (int i = 0; i < 3; i++) {
    long pid = raw(SYS_clone3, &args, sizeof args);
    if (pid == 0) {
      raw(SYS_getppid);
      _exit(40 + i);
    }
    int status;
    must(waitpid(pid, &status, 0) == pid);
    say("like fork: %s", ended(status));
  }
  say("short %ld", raw(SYS_clone3, &args, 8));
  say("long %ld", raw(SYS_clone3, &args, 100000));
  say("nowhere %ld", raw(SYS_clone3, 16, sizeof args));
  args.flags = CLONE_SIGHAND;
  say("contradiction %ld", raw(SYS_clone3, &args, sizeof args));
  args.flags = 0;
  args.stack_size = 4096;
  say("size without stack %ld", raw(SYS_clone3, &args, sizeof args));

  char* argv[] = {(char*)"sh", (char*)"-c", (char*)"exit $((6 * 7))", NULL};
  for (int i = 0; i < 10; i++) {
    pid_t pid;
    int status = 0, error = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
    must(waitpid(pid, &status, 0) == pid);
    say("spawned %d, %s", error, ended(status));
  }
  pid_t pid;
  say("no such program %d", posix_spawn(&pid, "/no/such", NULL, NULL, argv, environ));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "spawned", O_CREAT | O_WRONLY, 0600);
  char* say_it[] = {(char*)"echo", (char*)"into the file", NULL};
  must(posix_spawnp(&pid, "echo", &actions, NULL, say_it, environ) == 0);
  must(waitpid(pid, NULL, 0) == pid);
  return 0;
}
