#include "say.h"

#include <sys/uio.h>

int main(void) {
  int fds[2];
  if (pipe(fds) || fds[0] != 3) return 77;
  struct iovec out[] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}};
  say(writev(4, out, 3),
      "writev(4, [{iov_base=\"ab\", iov_len=2}, {iov_base=NULL, iov_len=0}, {iov_base=\"cdef\", "
      "iov_len=4}], 3)");
  char a[4], b[8];
  struct iovec in[] = {{a, sizeof a}, {b, sizeof b}};
  say(readv(3, in, 2),
      "readv(3, [{iov_base=\"abcd\", iov_len=4}, {iov_base=\"ef\", iov_len=8}], 2)");
  say(pwritev(4, out, 1, 5), "pwritev(4, [{iov_base=\"ab\", iov_len=2}], 1, 5)");
  say(readv(-1, in, 1), "readv(-1, [{iov_base=%p, iov_len=4}], 1)", (void*)a);
  return 0;
}
