#include "say.h"

int main(void) {
  char* volatile nowhere = (char*)16;
  int fds[2];
  if (pipe(fds) || fds[0] != 3) return 77;
  say(write(4, "abc", 3), "write(4, \"abc\", 3)");
  say(write(4, "123456789", 9), "write(4, \"12345678\"..., 9)");
  say(write(4,
            "\0"
            "1\a\377",
            4),
      "write(4, \"\\0001\\7\\377\", 4)");
  say(write(-1, "\"\\", 2), "write(-1, \"\\\"\\\\\", 2)");
  say(write(4, nowhere, 3), "write(4, 0x10, 3)");
  char got[32];
  say(read(3, got, sizeof got), "read(3, \"abc12345\"..., 32)");
  say(read(3, got, 0), "read(3, \"\", 0)");
  fflush(stdout);
  _exit(0);
}
