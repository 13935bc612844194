// What the guests share: a call made by a syscall instruction of the program's own, and a line said
// by one write, whatever the C library's buffers are worth at that moment.
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static inline __attribute__((always_inline)) long raw6(long nr, long a, long b, long c, long d,
                                                       long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
// raw(nr, arguments…): the kernel's own result, errors as -1..-4095.
#define raw_padded(nr, a, b, c, d, e, f, ...) \
  raw6((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw(...) raw_padded(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline __attribute__((format(printf, 1, 2))) void say(const char* format, ...) {
  char line[1024];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  for (int done = 0; done < length;) {
    ssize_t n = write(1, line + done, length - done);
    if (n < 0 && errno != EINTR) _exit(99);
    if (n > 0) done += n;
  }
}

#define must(condition)                                                   \
  do {                                                                    \
    if (!(condition)) {                                                   \
      say("line %d: not so: %s (errno %d)", __LINE__, #condition, errno); \
      exit(98);                                                           \
    }                                                                     \
  } while (0)

static inline const char* ended(int status) {
  static char text[40];
  if (WIFEXITED(status))
    snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
  else
    snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
  return text;
}

// Runs body in a child and says how the child ended: a case that crashes leaves the others alone.
static inline void in_child(const char* name, void (*body)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  int status = -1;
  must(waitpid(pid, &status, 0) == pid);
  say("%s: %s", name, ended(status));
}

// Until thread tid of this process (or process tid) sleeps in a call: no guess by time.
static inline void wait_until_blocked(pid_t pid, pid_t tid, long nr) {
  char path[64], text[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, tid);
  for (;;) {
    FILE* file = fopen(path, "r");
    if (!file) return;
    text[0] = 0;
    char* got = fgets(text, sizeof text, file);
    fclose(file);
    if (got && text[0] != 'r' && (nr < 0 ? atol(text) >= 0 : atol(text) == nr)) return;
    usleep(200);
  }
}

static inline void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  must(sigaction(number, &action, NULL) == 0);
}
