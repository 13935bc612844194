// readers_calls THREADS ROUNDS [getppid]: calls for the readers' benchmark: ten kinds as programs
// mix them, paths, payloads of both ways, structs, vectors and failures among them, or one alone.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long rounds;
static int alone;

static void mixed(int zero, int null) {
  char small[64], large[400];
  struct stat status;
  struct pollfd wait = {.fd = zero, .events = POLLIN};
  memset(large, 'x', sizeof large);
  struct iovec two[2] = {{small, 20}, {large, 100}};
  syscall(SYS_getppid);
  (void)!read(zero, small, sizeof small);
  (void)!write(null, "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n", 47);
  (void)!write(null, large, sizeof large);
  (void)!writev(null, two, 2);
  poll(&wait, 1, 0);
  lseek(null, 0, SEEK_SET);
  fstat(zero, &status);
  (void)!open("/nowhere/at/all/libexample.so.1", O_RDONLY | O_CLOEXEC);
  access("/etc/ld.so.preload", R_OK);
}

static void* run(void* none) {
  const int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  for (long n = 0; n < rounds; ++n)
    if (alone)
      for (int k = 0; k < 10; ++k) syscall(SYS_getppid);
    else
      mixed(zero, null);
  return none;
}

int main(int argc, char** argv) {
  const int threads = argc > 2 ? atoi(argv[1]) : 1;
  rounds = argc > 2 ? atol(argv[2]) : 1000;
  alone = argc > 3;
  pthread_t* all = calloc((size_t)threads, sizeof *all);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (int n = 0; n < threads; ++n) pthread_create(&all[n], &small, run, NULL);
  for (int n = 0; n < threads; ++n) pthread_join(all[n], NULL);
  return 0;
}
