// way count|list|interrupt LIBRARY: runs itself under the library ("-": natively), and goes through
// calls of each kind by single steps.
//   count      prints "name instructions lines": what one warm call takes from int3 to int3
//   list       prints each instruction too
//   interrupt  sends a signal at each instruction of each call; its handler makes calls itself. The
//              child says what it made
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/way/step.h"

namespace {

using sctrace::way::walk;
using sctrace::way::Way;

constexpr const char* names[] = {"getppid",        "close",  "read 1 B",   "read 4 KiB",
                                 "write 4 KiB",    "openat", "newfstatat", "writev",
                                 "rt_sigprocmask", "futex"};
constexpr int kinds = sizeof names / sizeof *names, warm = 20;

int zero, null;
long parent;
char block[4096];

bool one(int which) {
  struct stat status {};
  const iovec vector[2] = {{block, 5}, {block + 9, 7}};
  switch (which) {
    case 0: return syscall(SYS_getppid) == parent;
    case 1: return syscall(SYS_close, 999) == -1 && errno == EBADF;
    case 2: return syscall(SYS_read, zero, block, 1) == 1;
    case 3: return syscall(SYS_read, zero, block, 4096) == 4096;
    case 4: return syscall(SYS_write, null, block, 4096) == 4096;
    case 5:
      return syscall(SYS_openat, AT_FDCWD, "/nonexistent/of/some/length", O_RDONLY, 0) == -1 &&
             errno == ENOENT;
    case 6:
      return syscall(SYS_newfstatat, AT_FDCWD, "/dev/null", &status, 0) == 0 &&
             S_ISCHR(status.st_mode);
    case 7: return syscall(SYS_writev, null, vector, 2) == 12;
    case 8: return syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, block, 8) == 0;
    default: return syscall(SYS_futex, block, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0) == 0;
  }
}

// What a handler may find: our own text, or the C library's.
uint64_t ours_begin, ours_end, libc_begin, libc_end;

void find(const char* name, uint64_t& begin, uint64_t& end) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  unsigned long from, to;
  char rights[8];
  while (fgets(line, sizeof line, maps))
    if (strstr(line, name) && sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 &&
        rights[2] == 'x')
      begin = from, end = to;
  fclose(maps);
}

volatile long handled, wrong;
long made[kinds];

void on_signal(int, siginfo_t*, void* context) {
  const int kept = errno;
  const auto pc =
      static_cast<uint64_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  const bool known = (pc >= ours_begin && pc < ours_end) || (pc >= libc_begin && pc < libc_end);
  handled = handled + 1;
  if (!known || syscall(SYS_getuid) != syscall(SYS_geteuid)) wrong = wrong + 1;
  errno = kept;
}

int guest() {
  char self[512] = "";
  (void)!readlink("/proc/self/exe", self, sizeof self - 1);
  find(self, ours_begin, ours_end);
  find("/libc.so", libc_begin, libc_end);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, nullptr);
  parent = getppid();
  zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  for (int which = 0; which < kinds; ++which) {
    for (int i = 0; i < warm; ++i, ++made[which]) one(which);
    for (long again = 1; again;) {  // until the watcher says 0
      asm volatile("int3");
      ++made[which];
      if (!one(which)) wrong = wrong + 1;
      asm volatile("int3" : "+a"(again)::"memory");
    }
  }
  dprintf(1, "handled\t%ld\nwrong\t%ld\n", handled, wrong);
  for (int which = 0; which < kinds; ++which)
    dprintf(1, "made %s\t%ld\n", names[which], made[which]);
  return wrong != 0;
}

pid_t start(char* self, const char* library) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (*library != '-') setenv("LD_PRELOAD", library, 1);
    execl(self, self, "guest", nullptr);
    _exit(127);
  }
  int status;
  waitpid(child, &status, 0);
  return child;
}

// Lets it run, with `signo`; returns what stopped it, 0 when it ended. The library's own
// signal, and one that it put off and sent again, are passed on.
int run(pid_t child, int signo, int& status) {
  do {
    ptrace(PTRACE_CONT, child, 0, signo);
    if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status)) return 0;
    signo = WSTOPSIG(status);
  } while (signo == SIGUSR1 || signo == SIGSYS);
  return signo;
}

// Over the int3 behind a call, with rax = again.
void answer(pid_t child, bool again) {
  user_regs_struct r;
  ptrace(PTRACE_GETREGS, child, 0, &r);
  r.rip += (ptrace(PTRACE_PEEKTEXT, child, r.rip, 0) & 0xff) == 0xcc;  // stepped, not run, to it
  r.rax = again;
  ptrace(PTRACE_SETREGS, child, 0, &r);
}

int count(pid_t child, bool listed) {
  int status;
  for (const char* name : names) {
    if (run(child, 0, status) != SIGTRAP) return 1;
    const Way way = walk(child, [&](uint64_t at, const char* text) {
      if (listed) printf("  %lx %s\n", at, text);
    });
    printf("%s\t%u\t%zu\n", name, way.instructions, way.lines.size());
    answer(child, false);
  }
  return run(child, 0, status) || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}

// The next time that the child comes to `address` it stops; 0: nowhere.
bool watch_for(pid_t child, uint64_t address) {
  const auto at = [](int n) { return offsetof(struct user, u_debugreg) + sizeof(long) * n; };
  return ptrace(PTRACE_POKEUSER, child, at(7), 0) == 0 &&
         ptrace(PTRACE_POKEUSER, child, at(0), address) == 0 &&
         ptrace(PTRACE_POKEUSER, child, at(7), address ? 1 : 0) == 0;
}

uint64_t place_of(pid_t child) {
  user_regs_struct r;
  ptrace(PTRACE_GETREGS, child, 0, &r);
  return r.rip;
}

// One call, with a signal at `address`.
bool interrupted(pid_t child, uint64_t address) {
  int status;
  if (run(child, 0, status) != SIGTRAP || !watch_for(child, address)) return false;
  if (run(child, 0, status) != SIGTRAP) return false;
  watch_for(child, 0);
  return place_of(child) != address || run(child, SIGUSR1, status) == SIGTRAP;
}

int interrupt(pid_t child) {
  int status;
  for (const char* name : names) {
    std::set<uint64_t> places;
    if (run(child, 0, status) != SIGTRAP) return 1;
    walk(child, [&](uint64_t at, const char*) { places.insert(at); });
    for (const uint64_t place : places) {
      answer(child, true);
      if (!interrupted(child, place)) return printf("%s at %lx: %x\n", name, place, status), 1;
    }
    answer(child, false);
  }
  return run(child, 0, status) || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && !strcmp(argv[1], "guest")) return guest();
  if (argc < 3) return 2;
  cpu_set_t here;  // a step is two switches: ten times dearer between processors
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &here);
  sched_setaffinity(0, sizeof here, &here);
  const pid_t child = start(argv[0], argv[2]);
  return strcmp(argv[1], "interrupt") ? count(child, !strcmp(argv[1], "list")) : interrupt(child);
}
