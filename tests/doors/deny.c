// deny COMMAND...: runs it where memory that was writable can never be executed.
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int set_mdwe = 65, refuse_exec_gain = 1;
  if (argc < 2 || prctl(set_mdwe, refuse_exec_gain, 0, 0, 0) != 0) return 77;  // before Linux 6.3
  execv(argv[1], argv + 1);
  perror(argv[1]);
  return 127;
}
