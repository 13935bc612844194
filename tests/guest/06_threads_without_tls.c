// Hazard 6: bare CLONE_VM|CLONE_THREAD threads on stacks of their own that share their parent's fs
// base, several at once, 2000 calls each.
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include "guest.h"

enum { threads = 4, calls = 2000 };
static volatile int alive[threads];
static volatile long right[threads];

static int body(void* data) {
  long self = (long)data, tid = raw(SYS_gettid), pid = raw(SYS_getpid);
  for (int i = 0; i < calls; i++) {
    right[self] += raw(SYS_gettid) == tid;
    right[self] += raw(SYS_getpid) == pid && pid != tid;
    right[self] += raw(SYS_close, -1) == -EBADF;
  }
  return 0;
}

int main(void) {
  for (int round = 0; round < 5; round++) {
    for (long i = 0; i < threads; i++) {
      char* stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      right[i] = 0;
      alive[i] = 1;
      must(clone(body, stack + 65536,
                 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                     CLONE_CHILD_CLEARTID,
                 (void*)i, NULL, NULL, (void*)&alive[i]) > 0);
    }
    for (int i = 0; i < threads; i++)
      while (alive[i]) raw(SYS_futex, &alive[i], FUTEX_WAIT, 1, NULL);
    for (int i = 0; i < threads; i++) say("thread %d: %ld right", i, right[i]);
  }
  return 0;
}
