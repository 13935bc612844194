#define _GNU_SOURCE
#include "canary.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint8_t *room, *before;
static struct {
  void* at;
  size_t bytes;
} allowed[16];
static int allowed_count, calls_made;
static const char* now;

void* place(int number) { return room + number * place_bytes; }

void may(void* at, size_t bytes) {
  allowed[allowed_count].at = at;
  allowed[allowed_count++].bytes = bytes;
}

void leave_out(const char* why) { printf("out %s: %s\n", now, why); }

// membarrier refuses this command: a mark in the trace that the next call is the one.
static void mark(int number) { syscall(SYS_membarrier, 0x7ca9, number, 0); }

static void report(long number, long result) {
  printf("call %d %s %ld %ld\n", calls_made, now, number, result);
  for (int i = 0; i < allowed_count; ++i)
    printf("may %#lx %zu\n", (long)allowed[i].at, allowed[i].bytes);
  for (size_t at = 0; at < room_bytes; ++at) {
    if (room[at] == before[at]) continue;
    printf("changed %#lx ", (long)(room + at));
    for (; at < room_bytes && room[at] != before[at]; ++at) printf("%02x", room[at]);
    printf("\n");
  }
}

long call(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  memcpy(before, room, room_bytes);
  mark(++calls_made);
  const long done = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const long result = done == -1 ? -errno : done;
  mark(0);
  report(number, result);
  return result;
}

static void run(const struct Named* cases, uint8_t canary) {
  for (; cases->name; ++cases) {
    now = cases->name;
    memset(room, canary, room_bytes);
    allowed_count = 0;
    cases->run();
  }
}

int main(void) {
  // Kept until the end: writing it must not come between a mark and its call.
  static char kept[1 << 20];
  setvbuf(stdout, kept, _IOFBF, sizeof kept);
  room = mmap(0, 2 * room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return 1;
  before = room + room_bytes;
  static const uint8_t canaries[] = {0xa5, 0x5a};
  for (int i = 0; i < 2; ++i) {
    run(file_cases, canaries[i]);
    run(time_cases, canaries[i]);
    run(socket_cases, canaries[i]);
    run(process_cases, canaries[i]);
  }
  printf("done %d\n", calls_made);
  return 0;
}
