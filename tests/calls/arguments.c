// Arguments may be longer than any path.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  enum { longest = 131072 };
  static char text[longest + 1];
  const long lengths[] = {4095, 4096, 4097, 9000, longest - 1};
  for (int i = 0; i < 5; ++i) {
    memset(text, 'a' + i, lengths[i]);
    char *one[] = {"x", text, NULL}, *none[] = {NULL};
    execve("", one, i & 1 ? one : none);
    printf("execve(\"\", [\"x\", \"%s\"], [", text);
    if (i & 1) printf("\"x\", \"%s\"", text);
    printf("]) = -1 ENOENT (No such file or directory)\n");
  }
  return 0;
}
