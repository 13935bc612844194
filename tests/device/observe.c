/* An engine that sees everything and wishes for nothing, in BARE or ordinary code; ENTRY: of calls
 * their beginning alone. */
#include <sctrace/engine.h>
#include <stddef.h>

static volatile long seen;

static enum sctrace_choice entry(void* data, struct sctrace_call* call,
                                 enum sctrace_choice choice) {
  (void)data;
  seen += call->number >= 0;
  return choice;
}

#ifndef ENTRY
static void leave(void* data, struct sctrace_call* call) {
  (void)data;
  seen += call->result != 0;
}
#endif

static enum sctrace_choice on_signal(void* data, struct sctrace_signal* signal,
                                     enum sctrace_choice choice) {
  (void)data;
  seen += signal->number;
  return choice;
}

static void life(void* data, const struct sctrace_life* event) {
  (void)data;
  seen += event->event;
}

const struct sctrace_engine sctrace_engine = {.abi = SCTRACE_ENGINE_ABI,
                                              .size = sizeof(struct sctrace_engine),
#ifdef BARE
                                              .flags = SCTRACE_BARE,
#endif
                                              .name = "observe",
                                              .entry = entry,
#ifndef ENTRY
                                              .exit = leave,
#endif
                                              .signal = on_signal,
                                              .life = life};
