// garbage: calls whose rbp and rsp are no stack: odd, near the ends of a mapping, unmapped, not
// canonical, a chain that leads to itself or back down, code and data that lie. Each must be made
// as ever.
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long call_with(uint64_t rbp, uint64_t rsp) {
  long result;
  __asm__ volatile(
      "movq %%rbp, %%r12\n movq %%rsp, %%r13\n"
      "movq %[bp], %%rbp\n movq %[sp], %%rsp\n"
      "movl %[nr], %%eax\n syscall\n"
      "movq %%r12, %%rbp\n movq %%r13, %%rsp\n"
      : "=a"(result)
      : [bp] "r"(rbp), [sp] "r"(rsp), [nr] "i"(SYS_getppid)
      : "rcx", "r11", "r12", "r13", "memory");
  return result;
}

int main(void) {
  const long page = 4096, parent = getppid();
  char* pages = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(pages, page, PROT_NONE);
  mprotect(pages + 3 * page, page, PROT_NONE);
  const uint64_t low = (uint64_t)pages + page, high = low + 2 * page,
                 own = (uint64_t)__builtin_frame_address(0);
  uint64_t* chain = (uint64_t*)(low + 1024);
  chain[0] = (uint64_t)chain, chain[1] = low;         // leads to itself
  chain[8] = (uint64_t)(chain + 2), chain[9] = low;   // and down
  chain[16] = (uint64_t)(chain + 24), chain[17] = 1;  // and comes back to no code
  chain[24] = ~(uint64_t)7, chain[25] = (uint64_t)call_with;
  const uint64_t places[] = {0,
                             1,
                             8,
                             low,
                             low - 8,
                             low - page,
                             high - 8,
                             high - 16,
                             high - 7,
                             high,
                             high + page,
                             own,
                             own - 8,
                             own + 4096,
                             own | 1,
                             ~(uint64_t)0,
                             ~(uint64_t)7,
                             1ull << 47,
                             1ull << 63,
                             (1ull << 47) - 8,
                             (uint64_t)main,
                             (uint64_t)chain,
                             (uint64_t)(chain + 8),
                             (uint64_t)(chain + 16),
                             (uint64_t)(chain + 24),
                             0xffffffffff600000};
  const int count = sizeof places / sizeof *places;
  int wrong = 0;
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < count; ++j) wrong += call_with(places[i], places[j]) != parent;
  uint64_t random = 88172645463325252u;
  for (int i = 0; i < 20000; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    wrong += call_with(random, i % 2 ? own : random >> 17) != parent;
    wrong += call_with(own + random % 65536, own) != parent;
  }
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
