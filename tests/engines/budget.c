/* SCTRACE_ENGINE=budget.so=N[,CALLS]: after N of CALLS (all that read, write or open), these fail
 * with EAGAIN: what does a program do that is starved? Compiled without vector registers, so it
 * costs little. */
#include <sctrace/engine.h>
#include <stdlib.h>
#include <string.h>

static long left;

static int open_engine(const char* args, const struct sctrace_services* services, void** data) {
  char* end;
  (void)data;
  left = strtol(args, &end, 10);
  if (end == args || left < 0 || (*end && *end != ',')) return -22;
  return services->want(*end ? end + 1 : "%desc");
}

static enum sctrace_choice entry(void* data, struct sctrace_call* call,
                                 enum sctrace_choice choice) {
  (void)data;
  if (choice != SCTRACE_RUN || call->flags & SCTRACE_AGAIN) return choice;
  if (__atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) > 0) return choice;
  __atomic_store_n(&left, 0, __ATOMIC_RELAXED);
  call->result = -11; /* EAGAIN */
  return SCTRACE_SKIP;
}

const struct sctrace_engine sctrace_engine = {
    .abi = SCTRACE_ENGINE_ABI,
    .size = sizeof(struct sctrace_engine),
    .flags = SCTRACE_BARE,
    .name = "budget",
    .open = open_engine,
    .entry = entry,
};
