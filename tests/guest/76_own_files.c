// Hazard 76: what /proc tells the program of its own signals, however it reads it; and text that it
// writes through /proc/self/mem, where no mprotect announces it.
#include <fcntl.h>
#include <pthread.h>

#include "guest.h"

static const char* const fields[] = {"SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"};

static void show(const char* how, const char* text) {
  for (int i = 0; i < 5; i++) {
    const char* at = strstr(text, fields[i]);
    if (at)
      say("%s: %.24s", how, at);
    else
      say("%s: no %s", how, fields[i]);
  }
}

enum { ROOM = 8192 };
static int open_status(void) {
  const int fd = open("/proc/self/status", O_RDONLY);
  must(fd >= 0);
  return fd;
}

static void whole(const char* when) {
  static char text[ROOM];
  const int fd = open_status();
  const ssize_t n = read(fd, text, sizeof text - 1);
  must(n > 0);
  text[n] = 0;
  show(when, text);
  must(read(fd, text, 1) == 0);
  close(fd);
}

static void in_pieces(size_t piece) {
  static char text[ROOM];
  size_t at = 0;
  const int fd = open_status();
  for (ssize_t n; (n = raw(SYS_read, fd, text + at, piece)) > 0;) at += n;
  text[at] = 0;
  say("%zu a time", piece);
  show("pieces", text);
  close(fd);
}

static void by_places(void) {
  static char text[ROOM];
  const int fd = open_status();
  size_t at = 0;
  for (ssize_t n; (n = pread(fd, text + at, 19, at)) > 0;) at += n;
  text[at] = 0;
  show("pread", text);
  must(lseek(fd, 3, SEEK_SET) == 3);
  const ssize_t n = read(fd, text, sizeof text - 1);
  must(n > 0);
  text[n] = 0;
  show("from the third byte", text);
  close(fd);
}

static void by_directory(void) {
  static char text[ROOM];
  const int self = open("/proc/self", O_RDONLY | O_DIRECTORY);
  const int fd = openat(self, "status", O_RDONLY);
  must(self >= 0 && fd >= 0);
  FILE* file = fdopen(fd, "r");
  const size_t n = fread(text, 1, sizeof text - 1, file);
  text[n] = 0;
  show("openat", text);
  fclose(file), close(self);
}

// The number is another file's by then.
static void reused(void) {
  static char text[ROOM];
  close(open_status());
  const int fd = open("/proc/self/comm", O_RDONLY);
  const ssize_t n = read(fd, text, sizeof text - 1);
  must(n > 0);
  text[n] = 0;
  say("then: %s", text);
  close(fd);
  int pipes[2];
  close(open_status());
  must(pipe(pipes) == 0 && write(pipes[1], "SigCgt:\t0000000000000000\n", 25) == 25);
  memset(text, 0, 64);
  must(read(pipes[0], text, sizeof text) == 25);
  say("from a pipe: %s", text);
  close(pipes[0]), close(pipes[1]);
}

static void nothing(int number) { (void)number; }

static pthread_barrier_t both;
static volatile int other;
static void* blocks(void* data) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSYS), sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  must(raw(SYS_tgkill, getpid(), raw(SYS_gettid), SIGSYS) == 0);
  other = (int)raw(SYS_gettid);
  pthread_barrier_wait(&both);
  pthread_barrier_wait(&both);
  return data;
}

static void of_another_thread(void) {
  static char text[ROOM];
  pthread_t thread;
  char name[64];
  pthread_barrier_init(&both, NULL, 2);
  must(pthread_create(&thread, NULL, blocks, NULL) == 0);
  pthread_barrier_wait(&both);
  snprintf(name, sizeof name, "/proc/self/task/%d/status", other);
  const int fd = open(name, O_RDONLY);
  const ssize_t n = read(fd, text, sizeof text - 1);
  must(n > 0);
  text[n] = 0;
  show("another thread", text);
  close(fd);
  whole("this one");
  signal(SIGSYS, SIG_IGN);  // what waits is gone
  pthread_barrier_wait(&both);
  pthread_join(thread, NULL);
  signal(SIGSYS, SIG_DFL);
}

static void of_children(void) {
  fflush(stdout);
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    whole("child");
    _exit(0);
  }
  must(waitpid(child, NULL, 0) == child);
}

// --- text ------------------------------------------------------------------------------------

extern const unsigned char numbered[];
__asm__(
    ".pushsection .text\n"
    ".type numbered, @function\n"
    "numbered:\n"
    ".cfi_startproc\n"
    "mov $39, %eax\n"  // getpid
    "syscall\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size numbered, . - numbered\n"
    ".popsection\n");

static void text_by_mem(int by_place) {
  const int fd = open("/proc/self/mem", O_RDWR);
  must(fd >= 0);
  long (*const call)(void) = (long (*)(void))(unsigned long)numbered;
  say("before: %d", call() == getpid());
  const unsigned number = SYS_getppid;
  const off_t place = (off_t)(unsigned long)numbered + 1;
  if (by_place) {
    must(pwrite(fd, &number, 4, place) == 4);
  } else {
    must(lseek(fd, place, SEEK_SET) == place);
    must(write(fd, &number, 4) == 4);
  }
  say("as written: %d", call() == getppid());
  unsigned back = 0;
  must(pread(fd, &back, 4, place) == 4);
  say("reads back: %u", back);
  const unsigned getpid_again = SYS_getpid;
  must(pwrite(fd, &getpid_again, 4, place) == 4);
  say("and back: %d", call() == getpid());
  must(pwrite(fd, &number, 4, 8) == -1);
  say("nowhere: errno %d, still %d", errno, call() == getpid());
  close(fd);
}

int main(void) {
  sigset_t set;
  whole("start");
  in_pieces(1);
  in_pieces(7);
  by_places();
  by_directory();
  reused();
  signal(SIGSYS, nothing), signal(SIGSEGV, SIG_IGN), signal(SIGUSR2, nothing);
  whole("a handler, one ignored");
  signal(SIGSYS, SIG_DFL), signal(SIGSEGV, SIG_DFL);
  sigfillset(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  must(raw(SYS_tgkill, getpid(), raw(SYS_gettid), SIGSYS) == 0);
  must(kill(getpid(), SIGBUS) == 0 && kill(getpid(), SIGUSR1) == 0);
  whole("all blocked, some wait");
  in_pieces(5);
  of_children();
  signal(SIGSYS, SIG_IGN), signal(SIGBUS, SIG_IGN), signal(SIGUSR1, SIG_IGN);
  signal(SIGSYS, SIG_DFL), signal(SIGBUS, SIG_DFL);
  sigemptyset(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  of_another_thread();
  whole("at last");
  text_by_mem(1);
  text_by_mem(0);
  return 0;
}
