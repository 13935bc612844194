/* What controllers stop: each case makes a few calls and says what it saw of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static void on_signal(int number) { caught = number; }

static void say_write(int fd) {
  errno = 0;
  const long n = syscall(SYS_write, fd, "this is data", 12L);
  printf("%ld %s\n", n, n < 0 ? strerrorname_np(errno) : "");
}

/* From here on who asks for a futex dies; in all threads, or in this one. */
static void forbid_futex(int in_all) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, in_all ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program);
}

static volatile int came_back;
static void* comes_back(void* unused) {
  came_back = syscall(SYS_getppid) > 0 ? 1 : 2;
  for (;;) syscall(SYS_pause);
  return unused;
}

static void* stops(void* unused) {
  (void)unused;
  return (void*)syscall(SYS_getppid);
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(what, "write")) {
    if (argc > 2 && dup2(open(argv[2], O_CREAT | O_WRONLY, 0600), 4) != 4) return 9;
    say_write(9);
  }
  if (!strcmp(what, "gate")) { /* not before a byte comes: until all controllers are there */
    char go;
    if (read(atoi(argv[2]), &go, 1) == 1) say_write(9);
  }
  if (!strcmp(what, "time")) {
    struct timeval now;
    syscall(SYS_gettimeofday, &now, NULL);
    printf("%ld %ld\n", (long)now.tv_sec, (long)now.tv_usec);
  }
  if (!strcmp(what, "big")) {
    const size_t bytes = 10 << 20;
    char* data = malloc(bytes);
    memset(data, 'x', bytes);
    memcpy(data + bytes - 4, "end!", 4);
    printf("%ld\n", (long)write(open("/dev/null", O_WRONLY), data, bytes));
  }
  if (!strcmp(what, "signal")) { /* one comes while the call is stopped, from a child */
    signal(SIGUSR1, on_signal);
    const pid_t me = getpid(), child = fork();
    if (!child) {
      char go;
      if (read(atoi(argv[2]), &go, 1) == 1) kill(me, SIGUSR1);
      _exit(0);
    }
    const long parent = syscall(SYS_getppid);
    printf("caught %d, %s\n", (int)caught, parent > 0 ? "and the call was made" : "no call");
    waitpid(child, NULL, 0);
  }
  if (!strcmp(what, "raise")) {
    signal(SIGUSR1, on_signal), signal(SIGUSR2, on_signal);
    raise(SIGUSR1);
    printf("caught %d\n", (int)caught);
  }
  if (!strcmp(what, "threads")) {
    const int count = argc > 2 ? atoi(argv[2]) : 40;
    pthread_t* threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    long sum = 0;
    for (int i = 0; i < count; ++i) pthread_create(&threads[i], &small, stops, NULL);
    for (int i = 0; i < count; ++i) {
      void* result;
      pthread_join(threads[i], &result);
      sum += (long)result;
    }
    printf("sum %ld\n", sum);
  }
  if (!strcmp(what, "nofutex")) {
    const long before = syscall(SYS_getppid);
    forbid_futex(0);
    long after[3];
    for (int i = 0; i < 3; ++i) after[i] = syscall(SYS_getppid);
    printf("%ld then %ld %ld %ld\n", before, after[0], after[1], after[2]);
  }
  if (!strcmp(what, "tsync")) { /* while another thread is stopped at its call */
    pthread_t thread;
    pthread_create(&thread, NULL, comes_back, NULL);
    char go;
    if (read(atoi(argv[2]), &go, 1) != 1) return 9;
    forbid_futex(1);
    while (!came_back) usleep(1000);
    puts(came_back == 1 ? "the call was made" : "it failed");
    fflush(stdout);
    _exit(0);
  }
  if (!strcmp(what, "half")) { /* its last page may not be written */
    enum { bytes = 16384 };
    char* data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(data, 'a', bytes);
    mprotect(data + bytes - 4096, 4096, PROT_READ);
    const long n = syscall(SYS_write, open("/dev/null", O_WRONLY), data, (long)bytes);
    int others = 0;
    for (int i = 0; i < bytes; ++i) others += data[i] != 'a';
    printf("%ld, %d changed\n", n, others);
  }
  if (!strcmp(what, "read")) { /* what comes of a read of 100000 bytes */
    static char data[100000];
    const long n = syscall(SYS_read, open("/dev/zero", O_RDONLY), data, sizeof data);
    long sum = 0;
    for (unsigned i = 0; i < sizeof data; ++i) sum += data[i];
    printf("%ld, %ld\n", n, sum);
  }
  if (!strcmp(what, "fork")) {
    const pid_t child = fork();
    if (!child) _exit(3);
    int status = 0;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
  }
  if (!strcmp(what, "noexec")) {
    errno = 0;
    execl("/nowhere/x", "x", NULL);
    printf("exec %s\n", strerrorname_np(errno));
  }
  if (!strcmp(what, "calls")) /* so many, of one number */
    for (int i = atoi(argv[2]); i > 0; --i) printf("%ld\n", (long)syscall(SYS_getppid));
  if (!strcmp(what, "exec")) execl("/bin/true", "true", NULL);
  if (!strcmp(what, "many"))
    for (int i = 0; i < 20000; ++i) syscall(SYS_getppid);
  return 0;
}
