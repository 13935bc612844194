// Hazard 43: the code in memory is the code in the file: of libc, of ld.so, of the program itself.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "guest.h"

int main(void) {
  char line[600];
  FILE* maps = fopen("/proc/self/maps", "r");
  int seen = 0, differing = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long from, to, offset;
    char rights[8], path[400] = "";
    if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %399s", &from, &to, rights, &offset, path) < 5)
      continue;
    if (rights[2] != 'x' || path[0] != '/') continue;
    const char* name = strrchr(path, '/') + 1;
    if (strncmp(name, "libc.", 5) && strncmp(name, "ld-linux", 8) && strncmp(name, "43_", 3))
      continue;
    int file = open(path, O_RDONLY);
    char* copy = malloc(to - from);
    long n = pread(file, copy, to - from, (long)offset);
    close(file);
    long wrong = 0;
    for (long i = 0; i < n; i++) wrong += copy[i] != ((char*)from)[i];
    seen++;
    differing += wrong != 0;
    free(copy);
  }
  say("objects %d, of them changed %d", seen, differing);
  return 0;
}
