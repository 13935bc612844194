// Hazard 17: the two bytes of a syscall on two pages, in the program's text and in generated code,
// with the pages protected in either order.
#include <sys/mman.h>
#include "guest.h"

__asm__(
    ".text\n.p2align 12\n.skip 4090, 0xcc\n.globl over_the_edge\n.type over_the_edge, @function\n"
    "over_the_edge:\n.cfi_startproc\n  mov $39, %eax\n  syscall\n  cmp $-4095, %rax\n  ret\n"
    ".cfi_endproc\n.size over_the_edge, .-over_the_edge\n");
long over_the_edge(void);

int main(void) {
  long right = 0;
  for (int i = 0; i < 1000; i++) right += over_the_edge() == getpid();
  say("own text %ld, site at %lx", right, ((unsigned long)over_the_edge + 5) & 4095);
  static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
  for (int order = 0; order < 2; order++) {
    char* pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(pages + 4090, code, sizeof code);
    must(mprotect(pages + 4096 * order, 4096, PROT_READ | PROT_EXEC) == 0);
    must(mprotect(pages + 4096 * !order, 4096, PROT_READ | PROT_EXEC) == 0);
    long (*generated)(void) = (void*)(pages + 4090);
    for (int i = right = 0; i < 1000; i++) right += generated() == getppid();
    say("generated, order %d: %ld", order, right);
  }
  return 0;
}
