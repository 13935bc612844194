// Hazard 21: resource limits bite the program where they would, and never because of a tracer.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "guest.h"

static volatile int too_large;
static void on_xfsz(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  too_large++;
}
static void limit(int which, unsigned long value) {
  struct rlimit set = {value, value};
  must(setrlimit(which, &set) == 0);
}
static void* calls(void* unused) {
  (void)unused;
  for (int i = 0; i < 3000; i++) raw(SYS_getppid);
  return NULL;
}
static void threads_and_forks(void) {
  for (int i = 0; i < 4; i++) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, calls, NULL);
    if (!error) pthread_join(thread, NULL);
    pid_t pid = fork();
    if (pid == 0) {
      calls(NULL);
      _exit(30 + i);
    }
    int status = 0;
    if (pid > 0) waitpid(pid, &status, 0);
    say("  thread %d, fork %s", error, pid > 0 ? ended(status) : "failed");
  }
}
static void file_size(void) {
  handle(SIGXFSZ, on_xfsz, 0);
  limit(RLIMIT_FSIZE, 1000);
  int file = open("limited", O_CREAT | O_WRONLY | O_TRUNC, 0600);
  char block[600] = {0};
  long first = write(file, block, 600), second = write(file, block, 600),
       third = write(file, block, 600);
  say("  wrote %ld %ld %ld, signals %d", first, second, third, too_large);
  threads_and_forks();
  say("  signals %d", too_large);
}
static void file_size_zero(void) {
  limit(RLIMIT_FSIZE, 0);
  calls(NULL);
  threads_and_forks();
}
static void descriptors(void) {
  limit(RLIMIT_NOFILE, 3);
  calls(NULL);
  threads_and_forks();
}
static void locked(void) {
  limit(RLIMIT_MEMLOCK, 0);
  threads_and_forks();
}
static void stack(void) {
  limit(RLIMIT_STACK, 256 * 1024);
  threads_and_forks();
}
static void processes(void) {
  limit(RLIMIT_CORE, 0);
  threads_and_forks();
}
static void memory(void) {
  limit(RLIMIT_AS, 1ul << 31);
  void* large = mmap(NULL, 1ul << 32, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* small = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  say("  large %d, small %d", large == MAP_FAILED && errno == ENOMEM, small != MAP_FAILED);
  threads_and_forks();
}

int main(void) {
  in_child("FSIZE", file_size);
  in_child("FSIZE 0", file_size_zero);
  in_child("NOFILE", descriptors);
  in_child("MEMLOCK", locked);
  in_child("STACK", stack);
  in_child("CORE", processes);
  in_child("AS", memory);
  return 0;
}
