// Hazard 30: fork, by libc and bare, in a process with busy threads; a daemon's double fork.
#include <pthread.h>
#include "guest.h"

static volatile int stop;
static void* busy(void* unused) {
  (void)unused;
  while (!stop) raw(SYS_getppid), getppid(), free(malloc(100));
  return NULL;
}

static int child_works(void) {
  int right = 0;
  for (int i = 0; i < 50; i++) right += raw(SYS_getpid) == getpid() && getppid() > 0;
  free(malloc(1000));
  return right == 50 ? 33 : 34;
}
static int child_works_bare(void) {  // libc doesn't know of this fork
  int right = 0;
  for (int i = 0; i < 50; i++) right += raw(SYS_getpid) != raw(SYS_getppid);
  return right == 50 ? 33 : 34;
}

int main(void) {
  pthread_t threads[6];
  alarm(50);
  for (int i = 0; i < 6; i++) must(pthread_create(&threads[i], NULL, busy, NULL) == 0);
  int libc = 0, bare = 0, cloned = 0, status;
  for (int i = 0; i < 50; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(child_works());
    libc += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 33;
    pid = raw(SYS_fork);
    if (pid == 0) raw(SYS_exit_group, child_works_bare());
    bare += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 33;
    pid = raw(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) raw(SYS_exit_group, child_works_bare());
    cloned += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 33;
  }
  say("libc %d, bare %d, cloned %d", libc, bare, cloned);
  int pipes[2];
  must(pipe(pipes) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    while (getppid() == getpgid(0)) usleep(100);
    pthread_t thread;
    stop = 1;
    pthread_create(&thread, NULL, busy, NULL);
    pthread_join(thread, NULL);
    (void)!write(pipes[1], "daemon works", 12);
    _exit(0);
  }
  waitpid(pid, &status, 0);
  close(pipes[1]);
  char text[40] = "";
  (void)!read(pipes[0], text, sizeof text);
  say("%s", text);
  stop = 1;
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  return 0;
}
