/* SCTRACE_ENGINE=latency.so=MICROSECONDS[,CALLS]: each of CALLS (%network) takes so much longer,
 * give or take half of it, as over a slow line. Uses floating point and libc in its callback. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <sctrace/engine.h>
#include <stdlib.h>
#include <time.h>

static double mean;

static int open_engine(const char* args, const struct sctrace_services* services, void** data) {
  char* end;
  (void)data;
  mean = strtod(args, &end);
  if (end == args || !(mean >= 0) || mean > 1e9 || (*end && *end != ',')) return -EINVAL;
  return services->want(*end ? end + 1 : "%network");
}

/* Two uniform numbers out of the call's own time and place: their mean is triangular around 1. */
static double spread(const struct sctrace_call* call) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t x = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)call->tid << 32;
  const double a = (double)(x >> 40) / 16777216.0;
  x = x * 6364136223846793005u + 1442695040888963407u;
  const double b = (double)(x >> 40) / 16777216.0;
  return 0.5 + 0.5 * (a + b);
}

static void leave(void* data, struct sctrace_call* call) {
  const double us = mean * spread(call);
  struct timespec wait = {.tv_sec = (time_t)(us / 1e6), .tv_nsec = (long)(fmod(us, 1e6) * 1e3)};
  (void)data;
  nanosleep(&wait, NULL); /* a signal cuts it short, as it would the line's delay */
}

const struct sctrace_engine sctrace_engine = {
    .abi = SCTRACE_ENGINE_ABI,
    .size = sizeof(struct sctrace_engine),
    .name = "latency",
    .open = open_engine,
    .exit = leave,
};
