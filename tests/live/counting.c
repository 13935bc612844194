// Threads that count their own calls. Started as `counting THREADS PAUSE_US`; obeys lines:
// each calls lseek(-1, N) with N counted up
// by itself.
// c: says how many each has begun, "TID COUNT" a line and then a dot · t: the bytes of
// libc's and ld.so's text that differ from their files, and of the stubs' jumps · f: forks a child
// that goes on obeying in the parent's stead, while that waits · x PATH: executes it, with the
// same arguments · m N: makes N more threads · s: one more, under a filter that allows all · q:
// ends.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most = 4096 };
static struct {
  _Atomic long count;
  _Atomic int tid;
  char apart[48];
} threads[most];
static _Atomic int made;
static long pause_us;

static void* run(void* place) {
  const long i = (long)place;
  threads[i].tid = (int)syscall(SYS_gettid);
  for (;;) {
    const long n = ++threads[i].count;
    syscall(SYS_lseek, -1, n, SEEK_SET);
    if (pause_us) usleep((unsigned)pause_us);
  }
  return 0;
}

static void make(long n) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (; n-- && made < most; ++made) {
    pthread_t thread;
    if (pthread_create(&thread, &small, run, (void*)(long)made)) break;
  }
}

// How many bytes of executable mappings of files are not what the file says.
static long differing(void) {
  char line[1024], path[512], rights[8];
  unsigned long begin, end, offset, inode;
  long differ = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %511s", &begin, &end, rights, &offset, &inode,
               path) != 6)
      continue;
    if (rights[2] != 'x' || path[0] != '/') continue;
    const int fd = open(path, O_RDONLY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) continue;
    const char* file = mmap(0, end - begin, PROT_READ, MAP_PRIVATE, fd, (long)offset);
    for (unsigned long i = 0; i < end - begin && offset + i < (unsigned long)status.st_size; ++i)
      differ += file[i] != ((const char*)begin)[i];
    munmap((void*)file, end - begin);
    close(fd);
  }
  fclose(maps);
  return differ;
}

static void tell_counts(void) {
  for (int i = 0; i < made; ++i) printf("%d %ld\n", threads[i].tid, (long)threads[i].count);
  puts(".");
}

/* A filter that allows everything, in one thread. */
static volatile int is_filtered;
static void* filtered(void* unused) {
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {1, &allow};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return unused;
  is_filtered = 1;
  for (;;) pause();
}

int main(int argc, char** argv) {
  char line[256];
  setvbuf(stdin, 0, _IONBF, 0);
  pause_us = argc > 2 ? atol(argv[2]) : 0;
  make(argc > 1 ? atol(argv[1]) : 0);
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 'c') tell_counts();
    if (line[0] == 't') printf("%ld\n", differing());
    if (line[0] == 'm') make(atol(line + 1)), puts("done");
    if (line[0] == 'x') {
      argv[0] = line + 2;
      execv(line + 2, argv);
      puts("failed");
    }
    if (line[0] == 'f') {
      fflush(stdout);
      const pid_t child = fork();
      if (child > 0) {
        int status;
        while (waitpid(child, &status, 0) < 0) continue;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
      }
      made = 0;
      make(2);
      printf("%d\n", (int)getpid());
    }
    if (line[0] == 's') {
      pthread_t thread;
      pthread_create(&thread, 0, filtered, 0);
      while (!is_filtered) usleep(1000);
      puts("done");
    }
    if (line[0] == 'q') break;
    fflush(stdout);
  }
  return 0;
}
