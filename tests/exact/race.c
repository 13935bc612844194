/* race KIND ROUNDS: one thread makes calls whose memory another flips all the while; what the
 * kernel really used is on stdout afterwards, for run.py to hold the trace to.
 *   data   write() of 64 bytes that are all 'A' or all 'B', or torn, into the file on stdout
 *   vector writev() of one element whose base goes from one buffer to the other
 *   path   open() of "a" or "b", which of them says fstat(): one letter a call on stdout
 *   read   pread() of 64 zeros into a buffer that somebody writes into all the while */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { bytes = 64 };
static char data[bytes], other[bytes], name[8] = "a";
static struct iovec vector;
static atomic_int stop;

static void *flip(void *kind) {
  const char what = *(const char *)kind;
  for (unsigned n = 0; !atomic_load_explicit(&stop, memory_order_relaxed); ++n) {
    if (what == 'd') memset(data, n & 1 ? 'A' : 'B', bytes);
    if (what == 'r') memset(data, 'x', bytes);
    if (what == 'v') *(void *volatile *)&vector.iov_base = n & 1 ? data : other;
    if (what == 'p') *(volatile char *)name = n & 1 ? 'a' : 'b';
    for (volatile int i = 0; i < 20; ++i) {
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const char what = *argv[1];
  const long rounds = atol(argv[2]);
  struct stat a, b, is;
  close(open("a", O_CREAT | O_WRONLY, 0600));
  close(open("b", O_CREAT | O_WRONLY, 0600));
  stat("a", &a), stat("b", &b);
  memset(data, 'A', bytes), memset(other, 'B', bytes);
  vector.iov_base = data, vector.iov_len = bytes;
  const int zero = open("/dev/zero", O_RDONLY);
  char *letters = malloc(rounds);
  pthread_t flipping;
  pthread_create(&flipping, 0, flip, argv[1]);
  for (long i = 0; i < rounds; ++i) {
    if (what == 'd') syscall(SYS_write, 1, data, bytes);
    if (what == 'v') syscall(SYS_writev, 1, &vector, 1);
    if (what == 'r') syscall(SYS_pread64, zero, data, bytes, 0);
    if (what != 'p') continue;
    const int fd = syscall(SYS_open, name, O_RDONLY);
    fstat(fd, &is);
    close(fd);
    letters[i] = is.st_ino == a.st_ino ? 'a' : is.st_ino == b.st_ino ? 'b' : '?';
  }
  atomic_store(&stop, 1);
  pthread_join(flipping, 0);
  if (what == 'p') write(1, letters, rounds);
  return 0;
}
