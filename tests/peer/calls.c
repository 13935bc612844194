// Makes the calls that a script names, one a line: a number, a pattern for the arena, six
// arguments. Pointers of the script lie in an arena at a fixed place, so two runs say the same
// addresses.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARENA 0x20000000ul
#define ARENA_BYTES 0x4000ul  // behind it nothing is mapped

static unsigned char patterns[4][ARENA_BYTES];

static void make_patterns(void) {
  static const char name[] = "/dev/null\0x";
  memset(patterns[1], 0xff, ARENA_BYTES);
  uint32_t state = 12345;
  for (size_t i = 0; i < ARENA_BYTES; ++i) {
    state = state * 1103515245u + 12345u;
    patterns[2][i] = (unsigned char)(state >> 16);
    patterns[3][i] = (unsigned char)name[i % sizeof name];
  }
  // Small numbers in every second word: lengths and flags that might be meant.
  for (size_t i = 0; i + 8 <= ARENA_BYTES; i += 8)
    if (i % 16 == 0) memset(patterns[2] + i + 1, 0, 7);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  FILE* script = fopen(argv[1], "r");
  if (!script) return 2;
  unsigned char* arena = mmap((void*)ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (arena != (void*)ARENA) return 77;
  make_patterns();
  static unsigned long calls[20000][8];
  size_t n = 0;
  while (n < 20000 &&
         fscanf(script, "%lu %lu %lx %lx %lx %lx %lx %lx", &calls[n][0], &calls[n][1], &calls[n][2],
                &calls[n][3], &calls[n][4], &calls[n][5], &calls[n][6], &calls[n][7]) == 8)
    ++n;
  fclose(script);
  for (int fd = 3; fd < 20; ++fd) close(fd);
  if (open("/dev/null", O_RDWR) != 3 || socket(AF_UNIX, SOCK_STREAM, 0) != 4) return 77;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  syscall(SYS_chdir, "/begin");
  for (size_t i = 0; i < n; ++i) {
    const unsigned long* c = calls[i];
    memcpy(arena, patterns[c[1] & 3], ARENA_BYTES);
    syscall((long)c[0], c[2], c[3], c[4], c[5], c[6], c[7]);
  }
  syscall(SYS_chdir, "/end");
  return 0;
}
