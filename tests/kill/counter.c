// Writes 1, 2, 3, … over the first eight bytes of a file until it is killed; a thread does the same
// to another file.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

static void* count(void* path) {
  int file = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
  for (uint64_t n = 1;; n++)
    if (pwrite(file, &n, sizeof n, 0) != sizeof n) return NULL;
}

int main(int argc, char** argv) {
  pthread_t thread;
  if (argc != 3 || pthread_create(&thread, NULL, count, argv[2])) return 2;
  count(argv[1]);
  return 1;
}
