/* An engine of somebody else's: the program's parent is 4242. */
#include <sctrace/engine.h>

static int opened(const char* args, const struct sctrace_services* services, void** data) {
  (void)args, (void)data;
  return services->want("getppid");
}

static enum sctrace_choice entered(void* data, struct sctrace_call* call,
                                   enum sctrace_choice choice) {
  (void)data, (void)choice;
  call->result = 4242;
  return SCTRACE_SKIP;
}

const struct sctrace_engine sctrace_engine = {
    .abi = SCTRACE_ENGINE_ABI,
    .size = sizeof(struct sctrace_engine),
    .name = "answer",
    .open = opened,
    .entry = entered,
};
