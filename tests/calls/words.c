// Arguments that are there or not, whole or not, by what others say; and results that are words.
#include "say.h"

#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/stat.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

static int word;

static long futex(int operation, int value, long timeout, void* second, unsigned third) {
  return syscall(SYS_futex, &word, operation, value, timeout, second, third);
}

static void futexes(void) {
  const void* at = &word;
  say(futex(FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, 0, &word, ~0u),
      "futex(%p, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 1, NULL, FUTEX_BITSET_MATCH_ANY)",
      at);
  say(futex(FUTEX_WAKE_BITSET, 1, 7, &word, 0xff), "futex(%p, FUTEX_WAKE_BITSET, 1, 0xff)", at);
  say(futex(FUTEX_UNLOCK_PI_PRIVATE, 5, 6, &word, 0), "futex(%p, FUTEX_UNLOCK_PI_PRIVATE)", at);
  say(futex(FUTEX_CMP_REQUEUE, 1, 2, &word, 3), "futex(%p, FUTEX_CMP_REQUEUE, 1, 2, %p, 3)", at,
      at);
  const unsigned add_and_compare = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_GT, 0x12);
  say(futex(FUTEX_WAKE_OP, 1, 1, &word, add_and_compare),
      "futex(%p, FUTEX_WAKE_OP, 1, 1, %p, FUTEX_OP_ADD<<28|0<<12|FUTEX_OP_CMP_GT<<24|0x12)", at,
      at);
}

static void names(void) {
  char name[16];
  say(syscall(SYS_prctl, PR_SET_NAME, "123456789abcdefgh"),
      "prctl(PR_SET_NAME, \"123456789abcdef\"...)");
  say(syscall(SYS_prctl, PR_GET_NAME, name), "prctl(PR_GET_NAME, \"123456789abcdef\")");
  say(syscall(SYS_mount, "a", "/no/where", "b", MS_MGC_VAL | MS_RDONLY, "c"),
      "mount(\"a\", \"/no/where\", \"b\", MS_MGC_VAL|MS_RDONLY, \"c\")");
  char found[256];
  say(syscall(SYS_statx, AT_FDCWD, "/no/where", 0, 0xfff, found),
      "statx(AT_FDCWD, \"/no/where\", AT_STATX_SYNC_AS_STAT, STATX_ALL, %p)", (void*)found);
  const long self = getpid();
  say(syscall(SYS_kcmp, self, self, KCMP_FILE, 1, 1), "kcmp(%ld, %ld, KCMP_FILE, 1, 1)", self,
      self);
}

static void results(void) {
  char when[64];
  const time_t now = syscall(SYS_time, NULL);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S%z", localtime(&now));
  printf("%-39s = %ld (%s)\n", "time(NULL)", (long)now, when);
  printf("%-39s = 0 (SCHED_OTHER)\n", "sched_getscheduler(0)");
  syscall(SYS_sched_getscheduler, 0);
}

static void refused(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t n = sizeof at;
  const int holder = socket(AF_INET, SOCK_STREAM, 0), one = socket(AF_INET, SOCK_STREAM, 0);
  bind(holder, (struct sockaddr*)&at, n), getsockname(holder, (struct sockaddr*)&at, &n);
  fcntl(one, F_SETFL, O_NONBLOCK);
  connect(one, (struct sockaddr*)&at, n);  // nobody listens there
  int error = 0;
  n = sizeof error;
  for (int i = 0; i < 2; ++i)
    say(syscall(SYS_getsockopt, one, SOL_SOCKET, SO_ERROR, &error, &n),
        "getsockopt(%d, SOL_SOCKET, SO_ERROR, [%s], [4])", one, error ? "ECONNREFUSED" : "0");
}

int main(void) {
  futexes();
  names();
  results();
  refused();
  return 0;
}
