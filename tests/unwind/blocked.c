// Says that it is there and blocks in read, a few frames deep.
#include <unistd.h>

static int deep(int n) {
  char byte;
  if (n) return deep(n - 1) + 1;
  return (int)read(0, &byte, 1);
}

int main(void) {
  if (write(1, "!", 1) != 1) return 1;
  return deep(3) - 3;
}
