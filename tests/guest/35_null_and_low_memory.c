// Hazard 35: a call through NULL and a read of it must still die; maps at chosen addresses, low
// memory and the break are the program's.
#include <sys/mman.h>
#include "guest.h"

static void* volatile nothing;
static void call_null(void) { ((void (*)(void))nothing)(); }
static void call_low(void) { ((void (*)(void))(void*)((char*)nothing + 39))(); }
static void read_null(void) {
  if (*(volatile char*)nothing) _exit(1);
}
static void write_null(void) { *(volatile char*)nothing = 1; }

int main(void) {
  in_child("call NULL", call_null);
  in_child("call 39", call_low);
  in_child("read NULL", read_null);
  in_child("write NULL", write_null);
  long right = 0;
  for (unsigned long at = 0x10000000; at < 0x20000000; at += 0x1000000) {
    char* page = mmap((void*)at, 65536, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
    right += page == (void*)at;
    if (page == (void*)at) page[100] = 1, munmap(page, 65536);
  }
  say("fixed %ld", right);
  for (int i = right = 0; i < 20; i++) {
    char* page =
        mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    right += page != MAP_FAILED && (unsigned long)page < 1ul << 32;
  }
  say("below 2 GiB %ld", right);
  char* before = sbrk(0);
  for (int i = right = 0; i < 100; i++) {
    char* got = sbrk(65536);
    right += got == before + 65536l * i;
    memset(got, 1, 65536);
  }
  say("break %ld, back %d", right, sbrk(-6553600) != (void*)-1 && sbrk(0) == before);
  return 0;
}
