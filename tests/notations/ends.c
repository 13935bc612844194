// Ways in which threads and their process end, one by its name. Three threads beside the first.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t all_there;
static const char* way;

static int is(const char* name) { return strcmp(way, name) == 0; }

static void rest(void) {
  for (;;) pause();
}

static void* thread(void* number) {
  const long n = (long)number;
  pthread_barrier_wait(&all_there);
  if (is("one-by-one")) syscall(SYS_exit, 10 + n);
  if (n == 1 && is("another")) exit(4);
  if (n == 1 && is("another-execs")) execl("/bin/true", "true", (char*)0);
  if (n == 1 && is("first-leaves")) {
    usleep(50000);
    exit(7);
  }
  rest();
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  way = argv[1];
  pthread_t threads[3];
  pthread_barrier_init(&all_there, 0, 4);
  for (long n = 0; n < 3; ++n) pthread_create(&threads[n], 0, thread, (void*)n);
  pthread_barrier_wait(&all_there);
  if (is("one-by-one"))
    for (int n = 0; n < 3; ++n) pthread_join(threads[n], 0);
  if (is("first-leaves")) syscall(SYS_exit, 6);
  if (is("another") || is("another-execs")) rest();
  usleep(50000);  // the others are asleep by now
  if (is("killed")) raise(SIGKILL);
  if (is("execs")) execl("/bin/true", "true", (char*)0);
  return 3;
}
