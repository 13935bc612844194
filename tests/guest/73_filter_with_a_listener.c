// Hazard 73: a filter that asks somebody else what to do with a call: seccomp answers with a
// descriptor then, and none of our calls may come up there, be it in children or in threads.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "guest.h"

#define ASKED(nr) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)

// What natively nobody calls here, but for getppid.
static int listen_to_calls(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ASKED(SYS_gettid),
      ASKED(SYS_getpid),
      ASKED(SYS_getppid),
      ASKED(SYS_sigaltstack),
      ASKED(SYS_tgkill),
      ASKED(SYS_openat),
      ASKED(SYS_pwrite64),
      ASKED(SYS_fallocate),
      ASKED(SYS_prctl),
      ASKED(SYS_fstat),
      ASKED(SYS_newfstatat),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  return (int)raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static int is_asked(int listener, int patience_ms) {
  struct pollfd ready = {.fd = listener, .events = POLLIN};
  return poll(&ready, 1, patience_ms) == 1 && ready.revents & POLLIN;
}

static void answer(int listener, long value) {
  struct seccomp_notif asked;
  memset(&asked, 0, sizeof asked);
  must(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
  struct seccomp_notif_resp said = {.id = asked.id, .val = value};
  say("asked for call %d", asked.data.nr);
  must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said) == 0);
}

static int ends[2];
static void* in_thread(void* unused) {
  (void)unused;
  char byte = 'n';
  must(raw(SYS_read, ends[0], &byte, 1) == 1);
  return (void*)(long)byte;
}

int main(void) {
  must(pipe(ends) == 0);
  const int listener = listen_to_calls();
  say("listener %s", listener > 2 ? "there" : "not there");
  for (int i = 0; i < 3; i++) {
    const long pid = raw(SYS_fork);
    if (pid == 0) {
      char byte;
      must(raw(SYS_read, ends[0], &byte, 1) == 1);
      raw(SYS_exit_group, raw(SYS_getppid) == 4242 ? 5 : 6);
    }
    say("at a birth: %d", is_asked(listener, 100));
    must(write(ends[1], "c", 1) == 1);
    answer(listener, 4242);
    int status;
    must(wait4((pid_t)pid, &status, 0, NULL) == pid);
    say("child: %s", ended(status));
  }
  pthread_t thread;
  must(pthread_create(&thread, NULL, in_thread, NULL) == 0);
  say("at the birth of a thread: %d", is_asked(listener, 100));
  must(write(ends[1], "t", 1) == 1);
  void* result;
  pthread_join(thread, &result);
  say("thread: %c, asked %d", (char)(long)result, is_asked(listener, 0));
  raw(SYS_exit_group, 7 - 7);
}
