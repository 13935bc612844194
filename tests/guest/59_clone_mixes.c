// Hazard 59: clone in rare mixes: memory shared by another process, descriptors shared or not, a
// thread pointer that points nowhere.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include "guest.h"

static volatile long shared;
static int opened;

static int body(void* value) {
  long pid = raw(SYS_getpid), right = 0;
  for (int i = 0; i < 500; i++) right += raw(SYS_getpid) == pid;
  shared += right;
  raw(SYS_close, opened);
  return (int)(long)value;
}

static void mix(const char* name, int flags, void* tls) {
  char* stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 5; i++) {
    shared = 0;
    opened = open("/dev/null", O_RDONLY);
    int pid = clone(body, stack + 65536, flags | SIGCHLD, (void*)(long)(60 + i), NULL, tls, NULL);
    if (pid < 0) {
      say("%s: errno %d", name, errno);
      continue;
    }
    int status;
    must(waitpid(pid, &status, __WALL) == pid);
    say("%s: %s, shared %ld, descriptor %s", name, ended(status), shared,
        fcntl(opened, F_GETFD) < 0 ? "closed" : "open");
    close(opened);
  }
  munmap(stack, 65536);
}

static void none(int number) { (void)number; }

static int takes_signals(void* unused) {
  (void)unused;
  static const int numbers[] = {SIGUSR1, SIGSEGV, SIGSYS};
  for (int i = 0; i < 3; i++) signal(numbers[i], none);
  signal(SIGUSR2, SIG_IGN);
  return 0;
}

// Whose handlers a child sets that shares them, and one that does not.
static void handlers(const char* name, int flags) {
  static const int numbers[] = {SIGUSR1, SIGSEGV, SIGSYS, SIGUSR2};
  char* stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int pid = clone(takes_signals, stack + 65536, flags | SIGCHLD, NULL), status;
  must(waitpid(pid, &status, __WALL) == pid);
  for (int i = 0; i < 4; i++) {
    struct sigaction now;
    must(sigaction(numbers[i], NULL, &now) == 0);
    say("%s: of %d %s", name, numbers[i],
        now.sa_handler == none      ? "the child's"
        : now.sa_handler == SIG_IGN ? "ignored"
                                    : "default");
  }
  if (flags & CLONE_SIGHAND) raise(SIGSYS), raise(SIGSEGV), raise(SIGUSR2), say("raised");
  munmap(stack, 65536);
}

int main(void) {
  handlers("own handlers", CLONE_VM);
  handlers("shared handlers", CLONE_VM | CLONE_SIGHAND);
  mix("VM", CLONE_VM, NULL);
  mix("VM FILES", CLONE_VM | CLONE_FILES, NULL);
  mix("VM SIGHAND FS", CLONE_VM | CLONE_SIGHAND | CLONE_FS, NULL);
  mix("FILES", CLONE_FILES, NULL);
  mix("nothing", 0, NULL);
  mix("VM VFORK", CLONE_VM | CLONE_VFORK, NULL);
  mix("VM SETTLS", CLONE_VM | CLONE_SETTLS, (void*)0x1234);
  mix("SETTLS", CLONE_SETTLS, (void*)0x7ffffffff000);
  mix("THREAD alone", CLONE_THREAD, NULL);
  return 0;
}
