/* Does one thing that engines may do, by its arguments WHAT[,CALLS], and writes down what it sees,
 * a line a callback. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sctrace/engine.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct sctrace_services* service;

struct probe {
  char what[32], log[256];
};
static struct probe probes[8];
static int used;

#ifdef BARE /* no vector register, no errno, no libc: by the services alone */
static char* add(char* to, const char* text) {
  while (*text) *to++ = *text++;
  return to;
}

static char* add_number(char* to, long number) {
  unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number, unit = 1;
  if (number < 0) *to++ = '-';
  while (rest / unit >= 10) unit *= 10;
  for (; unit; unit /= 10) *to++ = (char)('0' + rest / unit % 10);
  return to;
}

static void note(const struct probe* p, const char* text, long number) {
  char line[200];
  char* end = add(add(add(add(line, p->what), " "), text), " ");
  end = add(add_number(end, number), "\n");
  const long fd = service->call(SYS_openat, AT_FDCWD, (long)p->log, O_WRONLY | O_APPEND | O_CREAT,
                                0600, 0, 0);
  service->call(SYS_write, fd, (long)line, end - line, 0, 0, 0);
  service->call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static int is(const struct probe* p, const char* what) {
  const char* a = p->what;
  while (*a && *a == *what) ++a, ++what;
  return *a == *what;
}
#else
/* snprintf and the like are async-signal-safe enough in glibc without floating point and locales.
 */
static void note(const struct probe* p, const char* text, long number) {
  char line[200];
  const int n = snprintf(line, sizeof line, "%s %s %ld\n", p->what, text, number);
  const int fd = open(p->log, O_WRONLY | O_APPEND | O_CREAT, 0600); /* its own calls: untraced */
  if (fd >= 0 && write(fd, line, (size_t)n) != n) abort();
  close(fd);
}

static int is(const struct probe* p, const char* what) { return !strcmp(p->what, what); }
#endif

/* WHAT,LOG[,CALLS] */
static int open_engine(const char* args, const struct sctrace_services* services, void** data) {
  struct probe* p = &probes[used];
  char copy[512];
  service = services;
  if (used == 8 || strlen(args) >= sizeof copy) return -E2BIG;
  strcpy(copy, args);
  char *rest = copy, *what = strsep(&rest, ","), *log = strsep(&rest, ",");
  if (!what || !log) return -EINVAL;
  snprintf(p->what, sizeof p->what, "%s", what);
  snprintf(p->log, sizeof p->log, "%s", log);
  *data = p;
  ++used;
  return services->want(rest ? rest : "none");
}

#ifndef BARE
static volatile enum sctrace_choice* volatile nowhere = (void*)8;
#endif

static enum sctrace_choice entry(void* data, struct sctrace_call* call,
                                 enum sctrace_choice choice) {
  const struct probe* p = data;
  note(p, call->flags & SCTRACE_REPORTED ? "entry again" : "entry", (long)choice);
#ifndef BARE
  errno = 99;
  if (is(p, "fault")) return *nowhere;
  if (is(p, "fork")) note(p, "fork", fork() < 0 ? -errno : 0);
#endif
  if (is(p, "skip") || is(p, "rollback")) return call->result = 4321, SCTRACE_SKIP;
  if (is(p, "fail")) return call->result = -EIO, SCTRACE_SKIP;
  if (is(p, "run")) return SCTRACE_RUN;
  if (is(p, "getpid")) call->number = SYS_getpid;
  if (is(p, "stop")) {
    if (call->flags & SCTRACE_REPORTED) return call->result = 77, SCTRACE_SKIP;
    service->report(call->tid);
    return SCTRACE_STOP;
  }
#ifndef BARE
  if (is(p, "vectors")) {
    double sum = 0;
    for (int i = 1; i < 50; ++i) sum += 1.0 / i;
    note(p, "sum", (long)(sum * 1000));
    __asm__ volatile(
        "pxor %%xmm0, %%xmm0; pxor %%xmm5, %%xmm5; pxor %%xmm10, %%xmm10; pxor %%xmm15, %%xmm15" ::
            : "xmm0", "xmm5", "xmm10", "xmm15");
  }
#endif
  call->word = 5;
  return choice;
}

static void leave(void* data, struct sctrace_call* call) {
  const struct probe* p = data;
  note(p, call->flags & SCTRACE_SKIPPED ? "exit skipped" : "exit",
       is(p, "see") ? (long)call->word : call->result);
  if (is(p, "rollback")) service->rollback(call);
  if (is(p, "twice") && call->result > 0) call->result *= 2;
  if (is(p, "poke")) service->write(call, call->args[0], "changed", 8);
  if (is(p, "raise")) service->raise(call, SIGUSR1);
}

static enum sctrace_choice on_signal(void* data, struct sctrace_signal* signal,
                                     enum sctrace_choice choice) {
  const struct probe* p = data;
  note(p, "signal", signal->number);
  if (is(p, "drop")) return SCTRACE_SKIP;
  if (is(p, "replace") && signal->number == SIGUSR1) signal->number = SIGUSR2;
  return choice;
}

static void life(void* data, const struct sctrace_life* event) {
  const struct probe* p = data;
  if (is(p, "life")) note(p, "life", event->event);
}

const struct sctrace_engine sctrace_engine = {
    .abi = SCTRACE_ENGINE_ABI,
    .size = sizeof(struct sctrace_engine),
#ifdef BARE
    .flags = SCTRACE_BARE,
#endif
    .name = "probe",
    .open = open_engine,
    .entry = entry,
    .exit = leave,
    .signal = on_signal,
    .life = life,
};
