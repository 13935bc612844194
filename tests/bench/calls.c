// What a call costs: `calls SECONDS` prints "name nanoseconds", each the best of five loops. The
// first line, `probe`, is pure computing: a machine that others use shows there.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double loop_time;
static int zero, null;
static char block[4096];

static void probe(void) {
  volatile uint64_t sum = 0;
  for (int i = 0; i < 100; i++) sum += (uint64_t)i * 7;
}
static void call_getppid(void) { getppid(); }
static void read_1(void) { (void)!read(zero, block, 1); }
static void read_4k(void) { (void)!read(zero, block, sizeof block); }
static void write_4k(void) { (void)!write(null, block, sizeof block); }
static void open_close(void) { close(openat(AT_FDCWD, "/dev/null", O_RDONLY)); }

static double cost(void (*one)(void)) {
  long count = 1;
  for (double took = 0; took < loop_time / 10; count *= 2) {
    double from = now();
    for (long i = 0; i < count; i++) one();
    took = now() - from;
  }
  double best = 1e18;
  for (int i = 0; i < 5; i++) {
    long turns = count * 5;
    double from = now();
    for (long j = 0; j < turns; j++) one();
    double each = (now() - from) / (double)turns;
    if (each < best) best = each;
  }
  return best;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*one)(void);
  } tests[] = {{"probe", probe},        {"getppid", call_getppid}, {"read 1 B", read_1},
               {"read 4 KiB", read_4k}, {"write 4 KiB", write_4k}, {"openat + close", open_close}};
  loop_time = (argc > 1 ? atof(argv[1]) : 0.1) * 1e9 / 30;
  zero = open("/dev/zero", O_RDONLY);
  null = open("/dev/null", O_WRONLY);
  for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
    printf("%s\t%.2f\n", tests[i].name, cost(tests[i].one));
  return 0;
}
