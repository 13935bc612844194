// pointers: a program that keeps frame pointers, whatever its libraries do.
#include "guest.h"

__attribute__((noinline)) static int down(volatile int deep) {
  if (!deep) return report(), 0;
  return down(deep - 1) + deep;
}

int main(void) {
  puts(open_oracle());
  fflush(stdout);
  for (int n = 0; n < 200; ++n) down(n % 20);
  return 0;
}
