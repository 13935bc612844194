#include "say.h"

#include <sys/mman.h>

int main(void) {
  setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
  char* at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = %p\n",
         (void*)at);
  char line[128];
  *at = 1;
  unsigned char present[2];
  say(mincore(at, 8192, present), "mincore(%p, 8192, [%d, %d])", (void*)at, present[0] & 1,
      present[1] & 1);
  say(mprotect(at, 4096, PROT_NONE), "mprotect(%p, 4096, PROT_NONE)", (void*)at);
  say(madvise(at, 4096, MADV_DONTNEED), "madvise(%p, 4096, MADV_DONTNEED)", (void*)at);
  snprintf(line, sizeof line, "mremap(%p, 8192, 4096, MREMAP_MAYMOVE)", (void*)at);
  printf("%-39s = %p\n", line, mremap(at, 8192, 4096, MREMAP_MAYMOVE));
  say(munmap(at, 4096), "munmap(%p, 4096)", (void*)at);
  say(munmap(at + 1, 4096), "munmap(%p, 4096)", (void*)(at + 1));
  return 0;
}
