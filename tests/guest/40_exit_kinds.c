// Hazard 40: ends that nobody plans: the main thread leaves alone, a thread ends the process, a
// kill in mid-write, in a thread, in a vfork child.
#include <fcntl.h>
#include <pthread.h>
#include "guest.h"

static int pipes[2];
static void* outlive(void* unused) {
  (void)unused;
  char state = 0;
  while (state != 'Z') {  // until the main thread is gone
    char text[200] = "";
    int file = open("/proc/self/stat", O_RDONLY);
    (void)!read(file, text, sizeof text - 1);
    close(file);
    char* after = strrchr(text, ')');
    state = after ? after[2] : 0;
  }
  for (int i = 0; i < 1000; i++) raw(SYS_getppid);
  say("  still here");
  exit(41);
}
static void main_leaves(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, outlive, NULL);
  pthread_exit(NULL);
}
static void* leave(void* unused) {
  (void)unused;
  exit(42);
}
static void thread_exits(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, leave, NULL);
  for (;;) pause();
}
static void* write_on(void* unused) {
  (void)unused;
  int file = open("/dev/null", O_WRONLY);
  for (;;) (void)!write(file, "0123456789abcdef", 16);
  return NULL;
}
static void writes_until_killed(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, write_on, NULL);
  (void)!write(pipes[1], "r", 1);
  write_on(NULL);
}
static void vfork_until_killed(void) {
  (void)!write(pipes[1], "r", 1);
  for (;;) {
    pid_t pid = vfork();
    if (pid == 0) {
      for (int i = 0; i < 50; i++) raw(SYS_getppid);
      _exit(0);
    }
    if (pid > 0) waitpid(pid, NULL, 0);
  }
}
static void killed(const char* name, void (*body)(void)) {
  for (int i = 0; i < 10; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      body();
      _exit(0);
    }
    char byte;
    must(read(pipes[0], &byte, 1) == 1);
    usleep(300 * i);
    kill(pid, SIGKILL);
    int status;
    must(waitpid(pid, &status, 0) == pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != 9) say("%s: %s", name, ended(status));
  }
  say("%s: killed", name);
}

int main(void) {
  must(pipe(pipes) == 0);
  in_child("main leaves", main_leaves);
  in_child("thread exits", thread_exits);
  killed("writing", writes_until_killed);
  killed("vforking", vfork_until_killed);
  return 0;
}
