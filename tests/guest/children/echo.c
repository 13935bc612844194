// Says how it was called. Built three times: dynamic, static, static-pie.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
extern char** environ;

int main(int argc, char** argv) {
  int entries = 0;
  while (environ && environ[entries]) entries++;
  printf("child: argc %d, last \"%s\", environment %d:", argc, argv[argc - 1], entries);
  for (int i = 0; i < entries; i++) printf(" %s", environ[i]);
  printf("\n");
  fflush(stdout);
  return getppid() > 0 ? argc * 10 : 1;
}
