// Hazard 16: code made at run time, four ways; what is shared with others is never modified.
#include <fcntl.h>
#include <sys/mman.h>
#include "guest.h"

static void emit(unsigned char* at, unsigned nr) {
  const unsigned char code[] = {0xb8, nr & 255, nr >> 8, 0, 0, 0x0f, 0x05, 0xc3};
  memcpy(at, code, sizeof code);
}
#define CALL(page) ((long (*)(void))(void*)(page))()

int main(void) {
  unsigned numbers[] = {SYS_getpid, SYS_getppid, SYS_getuid, SYS_gettid};
  long right = 0;
  unsigned char* rwx = mmap(NULL, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 2000; i++) {
    emit(rwx, numbers[i & 3]);
    right += CALL(rwx) == syscall(numbers[i & 3]);
  }
  say("rwx %ld", right);
  unsigned char* flip =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = right = 0; i < 400; i++) {
    must(mprotect(flip, 4096, PROT_READ | PROT_WRITE) == 0);
    emit(flip, numbers[i & 3]);
    must(mprotect(flip, 4096, PROT_READ | PROT_EXEC) == 0);
    for (int j = 0; j < 5; j++) right += CALL(flip) == syscall(numbers[i & 3]);
  }
  say("flipped %ld", right);
  int memory = memfd_create("code", 0);
  must(ftruncate(memory, 4096) == 0);
  unsigned char* write_side = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  unsigned char* run_side = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0);
  int unmodified = 0;
  for (int i = right = 0; i < 400; i++) {
    unsigned char expected[8], seen[8];
    emit(write_side, numbers[i & 3]);
    emit(expected, numbers[i & 3]);
    for (int j = 0; j < 5; j++) right += CALL(run_side) == syscall(numbers[i & 3]);
    must(pread(memory, seen, 8, 0) == 8);
    unmodified += !memcmp(expected, write_side, 8) && !memcmp(expected, seen, 8);
  }
  say("dual mapping %ld, unmodified %d", right, unmodified);
  int file = open("code", O_RDWR | O_CREAT, 0700);
  must(ftruncate(file, 4096) == 0);
  unsigned char* mapped = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  for (int i = right = unmodified = 0; i < 200; i++) {
    unsigned char code[8], seen[8];
    emit(code, numbers[i & 3]);
    must(pwrite(file, code, 8, 64) == 8);
    for (int j = 0; j < 5; j++) right += CALL(mapped + 64) == syscall(numbers[i & 3]);
    must(pread(file, seen, 8, 64) == 8);
    unmodified += !memcmp(code, seen, 8);
  }
  say("file %ld, unmodified %d", right, unmodified);
  return 0;
}
