// Hazard 28: calls while fs or gs point elsewhere: nowhere, at NULL, at a page that is not there.
#include <asm/prctl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include "guest.h"

// Nothing that uses thread-local storage may run between the change and the change back.
__attribute__((noinline)) static long calls_with_fs(unsigned long base, int by_instruction) {
  unsigned long own = 0, seen = 0;
  long right = 0, pid = raw(SYS_getpid);
  raw(SYS_arch_prctl, ARCH_GET_FS, &own);
  if (by_instruction)
    __asm__ volatile("wrfsbase %0" : : "r"(base));
  else if (raw(SYS_arch_prctl, ARCH_SET_FS, base) != 0)
    return -1;
  for (int i = 0; i < 200; i++) right += raw(SYS_getpid) == pid;
  right += raw(SYS_close, -1) == -EBADF;
  raw(SYS_arch_prctl, ARCH_GET_FS, &seen);
  right += seen == base;
  raw(SYS_arch_prctl, ARCH_SET_FS, own);
  return right;
}

int main(void) {
  int instruction = getauxval(AT_HWCAP2) >> 1 & 1;
  char* gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* plain = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const unsigned long bases[] = {0, (unsigned long)gone, (unsigned long)plain + 4096,
                                 0x7ffffffff000, 0x1234};
  for (unsigned i = 0; i < sizeof bases / sizeof *bases; i++)
    for (int way = 0; way <= instruction; way++)
      say("fs base %u, way %d: %ld", i, way, calls_with_fs(bases[i], way));
  say("no address %ld", raw(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000));
  unsigned long gs = 0;
  for (unsigned i = 0; i < 3; i++) {
    must(raw(SYS_arch_prctl, ARCH_SET_GS, bases[i]) == 0);
    long right = 0;
    for (int j = 0; j < 100; j++) right += getppid() > 0;
    raw(SYS_arch_prctl, ARCH_GET_GS, &gs);
    say("gs base %u: %ld, kept %d", i, right, gs == bases[i]);
  }
  return 0;
}
