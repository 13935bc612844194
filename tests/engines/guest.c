/* Makes calls that engines interfere with, and says what it got. What it prints is the test's to
 * compare. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static void on_signal(int number) { caught = number; }

static int reads(const char* path) {
  char text[64] = "";
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return printf("open %s: %s\n", path, strerror(errno)), 0;
  const ssize_t n = read(fd, text, sizeof text - 1);
  printf("read %zd: %s\n", n, n > 0 ? text : "");
  return close(fd);
}

/* Registers that engines' code may use for its own. */
static int keeps_vectors(void) {
  double in[8], out[8];
  for (int i = 0; i < 8; ++i) in[i] = 1.5 * i;
  long result = SYS_getppid;
  __asm__ volatile(
      "movupd (%1), %%xmm0; movupd 16(%1), %%xmm5; movupd 32(%1), %%xmm10; movupd 48(%1), %%xmm15\n"
      "syscall\n"
      "movupd %%xmm0, (%2); movupd %%xmm5, 16(%2); movupd %%xmm10, 32(%2); movupd %%xmm15, 48(%2)"
      : "+a"(result)
      : "r"(in), "r"(out)
      : "rcx", "r11", "memory", "xmm0", "xmm5", "xmm10", "xmm15");
  return memcmp(in, out, sizeof in) == 0;
}

static void* in_thread(void* argument) {
  reads(argument);
  return NULL;
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  const char* what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "read")) return reads(argv[2]);
  if (!strcmp(what, "vectors")) return printf("vectors %s\n", keeps_vectors() ? "kept" : "LOST"), 0;
  if (!strcmp(what, "errno")) {
    errno = 77;
    const long pid = syscall(SYS_getppid);
    return printf("getppid %s, errno %d\n", pid > 0 ? "came" : "failed", errno), 0;
  }
  if (!strcmp(what, "signal")) {
    signal(SIGUSR1, on_signal), signal(SIGUSR2, on_signal);
    raise(SIGUSR1);
    return printf("caught %d\n", (int)caught), 0;
  }
  if (!strcmp(what, "life")) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, argv[2]);
    pthread_join(thread, NULL);
    if (fork() == 0) _exit(3);
    int status;
    wait(&status);
    execl("/nowhere/at/all", "x", NULL);
    execl("/bin/true", "true", NULL);
  }
  if (!strcmp(what, "result")) {
    char text[32] = "";
    const long n = syscall(SYS_getcwd, text, sizeof text);
    return printf("getcwd %ld %s\n", n, text), 0;
  }
  if (!strcmp(what, "environment")) {
    const char* tested = getenv("TESTED");
    return printf("%d %s %s %s\n", argc, argv[1], tested ? tested : "none",
                  program_invocation_short_name),
           0;
  }
  if (!strcmp(what, "loop"))
    for (int i = 0; i < 3; ++i) printf("getppid %ld\n", syscall(SYS_getppid));
  return 0;
}
