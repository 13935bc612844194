// jit: code made at run time calls report(); what it is called is in /tmp/perf-PID.map, as JIT
// compilers have it.
#include <string.h>
#include <sys/mman.h>

#include "guest.h"

__attribute__((always_inline)) static inline void put_deeper(void (*code)(void (*)(void))) {
  code(report);
}

__attribute__((always_inline)) static inline void put_inside(void (*code)(void (*)(void))) {
  put_deeper(code);
  __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void call_it(void (*code)(void (*)(void))) {
  put_inside(code);
  __asm__ volatile("" ::: "memory");
}

int main(void) {
  static const unsigned char made[] = {0x55,              // push %rbp
                                       0x48, 0x89, 0xe5,  // mov  %rsp,%rbp
                                       0xff, 0xd7,        // call *%rdi
                                       0x5d, 0xc3};       // pop  %rbp; ret
  char name[64];
  void* code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  memcpy(code, made, sizeof made);
  mprotect(code, 4096, PROT_READ | PROT_EXEC);
  snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
  FILE* map = fopen(name, "w");
  if (!map) return 1;
  fprintf(map, "%lx %zx made at run time\n", (unsigned long)code, sizeof made);
  fclose(map);
  puts(open_oracle());
  puts(name);
  fflush(stdout);
  for (int n = 0; n < 20; ++n) call_it((void (*)(void (*)(void)))code);
  return 0;
}
