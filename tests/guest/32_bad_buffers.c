// Hazard 32: buffers that fault. Thirty calls, nine bad pointers each: the kernel's own answer, and
// no signal; buffers half there; a string that runs into a hole; a page beyond a file's end.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include "guest.h"

static int file, zero, null, pair[2], pipes[2], epoll;
static volatile int faults;
static void on_fault(int number, siginfo_t* info, void* context) {
  (void)info, (void)context;
  faults++;
  say("signal %d", number);
  _exit(97);
}

enum { calls = 34 };
static long make(int which, void* p) {
  switch (which) {
    case 0: return raw(SYS_read, zero, p, 100);
    case 1: return raw(SYS_write, pipes[1], p, 100);
    case 2: return raw(SYS_pread64, file, p, 100, 0);
    case 3: return raw(SYS_pwrite64, file, p, 100, 0);
    case 4: return raw(SYS_open, p, O_RDONLY);
    case 5: return raw(SYS_openat, AT_FDCWD, p, O_RDONLY, 0);
    case 6: return raw(SYS_stat, p, p);
    case 7: return raw(SYS_fstat, file, p);
    case 8: return raw(SYS_newfstatat, AT_FDCWD, "/", p, 0);
    case 9: return raw(SYS_readv, zero, p, 2);
    case 10: return raw(SYS_writev, pipes[1], p, 2);
    case 11: return raw(SYS_access, p, 0);
    case 12: return raw(SYS_pipe2, p, 0);
    case 13: return raw(SYS_nanosleep, p, 0);
    case 14: return raw(SYS_getcwd, p, 4096);
    case 15: return raw(SYS_uname, p);
    case 16: return raw(SYS_gettimeofday, p, 0);
    case 17: return raw(SYS_clock_gettime, CLOCK_REALTIME, p);
    case 18: return raw(SYS_getrlimit, 7, p);
    case 19: return raw(SYS_getrusage, 0, p);
    case 20: return raw(SYS_sendto, pair[0], p, 10, 0, 0, 0);
    case 21: return raw(SYS_sendmsg, pair[0], p, 0);
    case 22: return raw(SYS_recvmsg, pair[1], p, MSG_DONTWAIT);
    case 23: return raw(SYS_getsockname, pair[0], p, p);
    case 24: return raw(SYS_bind, pair[0], p, 20);
    case 25: return raw(SYS_epoll_ctl, epoll, 1, pipes[0], p);
    case 26: return raw(SYS_epoll_wait, epoll, p, 1, 0);
    case 27: return raw(SYS_poll, p, 1, 0);
    case 28: return raw(SYS_rt_sigprocmask, SIG_BLOCK, p, 0, 8);
    case 29: return raw(SYS_rt_sigaction, SIGUSR1, p, 0, 8);
    case 30: return raw(SYS_readlink, "/proc/self/exe", p, 10);
    case 31: return raw(SYS_execve, p, 0, 0);
    case 32: return raw(SYS_sysinfo, p);
    case 33: return raw(SYS_getrandom, p, 16, 0);
  }
  return 0;
}

int main(void) {
  file = open("file", O_RDWR | O_CREAT, 0600);
  must(ftruncate(file, 1000) == 0);
  zero = open("/dev/zero", O_RDONLY);
  null = open("/dev/null", O_WRONLY);
  must(pipe2(pipes, O_NONBLOCK) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  epoll = (int)raw(SYS_epoll_create1, 0);
  handle(SIGSEGV, on_fault, 0);
  handle(SIGBUS, on_fault, 0);
  char* none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* frozen = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* half = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(mprotect(half + 4096, 4096, PROT_NONE) == 0);
  memset(half, '/', 4096);
  char* beyond = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  void* bad[] = {NULL,
                 (void*)1,
                 none,
                 frozen,
                 half + 4096 - 4,
                 half + 4096,
                 beyond + 4096,
                 (void*)0x8000000000000000,
                 (void*)0xffffffffff600000};
  for (int i = 0; i < calls; i++) {
    char line[400] = "";
    for (unsigned j = 0; j < sizeof bad / sizeof *bad; j++) {
      if (i == 12 && j == 4) continue;  // would leave descriptors behind
      long result = make(i, bad[j]);
      sprintf(line + strlen(line), " %ld", result);
      char drain[200];
      while (read(pipes[0], drain, sizeof drain) > 0) {
      }
      while (recv(pair[1], drain, sizeof drain, MSG_DONTWAIT) >= 0) {
      }
    }
    say("call %d:%s", i, line);
  }
  say("half read %ld", raw(SYS_read, zero, half + 4096 - 50, 100));
  say("half write %ld", raw(SYS_write, pipes[1], half + 4096 - 50, 100));
  say("half write to null %ld", raw(SYS_write, null, half + 4096 - 50, 100));
  struct iovec vector[3] = {{half, 10}, {half + 4096 - 5, 10}, {none, 10}};
  say("half vector %ld %ld", raw(SYS_readv, zero, vector, 3), raw(SYS_writev, pipes[1], vector, 3));
  vector[0].iov_len = (size_t)-1;
  say("absurd length %ld", raw(SYS_writev, pipes[1], vector, 3));
  say("absurd count %ld %ld", raw(SYS_writev, pipes[1], vector, 100000),
      raw(SYS_writev, pipes[1], vector, -1));
  memset(half + 4090, 'x', 6);
  say("string into a hole %ld", raw(SYS_open, half + 4090, O_RDONLY));
  memset(half, 'y', 4096);
  say("long string %ld", raw(SYS_open, half, O_RDONLY));
  say("huge read %ld", raw(SYS_read, file, half, 0x7fffffffffffffff));
  struct msghdr message = {.msg_iov = (struct iovec*)none, .msg_iovlen = 3};
  say("bad inner %ld", raw(SYS_sendmsg, pair[0], &message, 0));
  message = (struct msghdr){
      .msg_iov = vector + 1, .msg_iovlen = 1, .msg_control = none, .msg_controllen = 64};
  say("bad control %ld", raw(SYS_sendmsg, pair[0], &message, 0));
  say("faults %d", faults);
  return 0;
}
