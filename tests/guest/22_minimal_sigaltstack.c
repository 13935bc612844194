// Hazard 22: a handler on the smallest alternate stack, guard page below it, makes calls and asks
// for the state of that stack.
#include <sys/auxv.h>
#include <sys/mman.h>
#include "guest.h"

static volatile int ran, flags_inside, size_inside;
static volatile long result;
static char* stack_low;

static void on_usr1(int number) {
  (void)number;
  stack_t now;
  raw(SYS_sigaltstack, NULL, &now);
  flags_inside = now.ss_flags;
  size_inside = (int)now.ss_size;
  for (int i = 0; i < 50; i++) result += raw(SYS_getppid) > 0;
  ran++;
}

int main(void) {
  size_t least = getauxval(51 /* AT_MINSIGSTKSZ */), size = (least + 640 + 15) & ~15ul;
  size_t room = (size + 4095) & ~4095ul;
  char* area = mmap(NULL, room + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(mprotect(area + 4096, room, PROT_READ | PROT_WRITE) == 0);
  stack_low = area + 4096 + room - size;
  memset(area + 4096, 0x5a, room - size);
  stack_t mine = {.ss_sp = stack_low, .ss_size = size}, old;
  must(sigaltstack(&mine, &old) == 0);
  say("before: flags %d", old.ss_flags);
  struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 100; i++) raise(SIGUSR1);
  say("ran %d, calls %ld, flags %d, size %d", ran, result, flags_inside, size_inside == (int)size);
  must(sigaltstack(NULL, &old) == 0);
  say("after: flags %d, same %d", old.ss_flags, old.ss_sp == stack_low && old.ss_size == size);
  int untouched = 1;
  for (size_t i = 0; i < room - size; i++) untouched &= area[4096 + i] == 0x5a;
  say("below it untouched %d", untouched);
  mine.ss_size = 100;
  say("too small %ld", raw(SYS_sigaltstack, &mine, NULL));
  return 0;
}
