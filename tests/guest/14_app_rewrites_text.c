// Hazard 14: the program changes, moves, discards and replaces code that holds a syscall.
#include <sys/mman.h>
#include "guest.h"

// One page of code in the program's own text: a site, alone on its page.
__asm__(
    ".text\n.p2align 12\n.globl own_page\n.type own_page, @function\nown_page:\n"
    ".cfi_startproc\n  mov $39, %eax\n  syscall\n  ret\n.cfi_endproc\n.size own_page, .-own_page\n"
    ".p2align 12\n");
long own_page(void);

static const unsigned char other[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};  // getppid
static const unsigned char third[] = {0xb8, 102, 0, 0, 0, 0x0f, 0x05, 0xc3};  // getuid
static const unsigned char plain[] = {0xb8, 0x34, 0x12, 0, 0, 0xc3};          // no call at all

static const char* rights(void* where) {
  static char found[8];
  char line[512];
  FILE* file = fopen("/proc/self/maps", "r");
  strcpy(found, "none");
  while (fgets(line, sizeof line, file)) {
    unsigned long from, to;
    char flags[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, flags) == 3 && from <= (unsigned long)where &&
        (unsigned long)where < to)
      memcpy(found, flags, 5);
  }
  fclose(file);
  return found;
}

int main(void) {
  char* page = (char*)own_page;
  long right = 0;
  for (int i = 0; i < 100; i++) right += own_page() == getpid();
  say("as built %ld, %s", right, rights(page));
  must(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
  memcpy(page, other, sizeof other);
  must(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
  for (int i = right = 0; i < 100; i++) right += own_page() == getppid();
  say("rewritten %ld, %s", right, rights(page));
  must(madvise(page, 4096, MADV_DONTNEED) == 0);
  for (int i = right = 0; i < 100; i++) right += own_page() == getpid();
  say("discarded %ld, %s", right, rights(page));
  must(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
       page);
  memcpy(page, third, sizeof third);
  must(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
  for (int i = right = 0; i < 100; i++) right += own_page() == (long)getuid();
  say("replaced %ld, %s", right, rights(page));
  char* elsewhere = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == elsewhere);
  long (*moved)(void) = (void*)elsewhere;
  for (int i = right = 0; i < 100; i++) right += moved() == (long)getuid();
  say("moved %ld, %s, left behind %s", right, rights(elsewhere), rights(page));
  must(mprotect(elsewhere, 4096, PROT_READ | PROT_WRITE) == 0);
  memcpy(elsewhere, plain, sizeof plain);
  must(mprotect(elsewhere, 4096, PROT_READ | PROT_EXEC) == 0);
  say("no call %lx, %s", moved(), rights(elsewhere));
  must(munmap(elsewhere, 8192) == 0);
  say("gone %s", rights(elsewhere));
  return 0;
}
