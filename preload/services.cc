#include "preload/services.h"

#include <asm/unistd.h>
#include <linux/futex.h>

#include <cerrno>

#include "preload/call_names.h"
#include "preload/capture.h"
#include "preload/global.h"

namespace sctrace::preload {

constinit Engine* being_opened = nullptr;

namespace {

Shown& shown(sctrace_call* call) { return *reinterpret_cast<Shown*>(call); }

int read(void* to, uint64_t address, uint64_t bytes) {
  return read_app(to, address, bytes) ? 0 : -EFAULT;
}

int write(sctrace_call* call, uint64_t address, const void* from, uint64_t bytes) {
  if (!write_app(address, from, bytes)) return -EFAULT;
  shown(call).flags |= wire::altered_memory;
  return 0;
}

long read_string(char* to, uint64_t address, uint64_t bytes) {
  for (uint64_t n = 0; n < bytes; ++n) {
    if (!read_app(to + n, address + n, 1)) return -EFAULT;
    if (!to[n]) return static_cast<long>(n);
  }
  return -ENAMETOOLONG;
}

void* keep(sctrace_call* call, uint64_t bytes) {
  ThreadState& self = *shown(call).self;
  const uint64_t begin = (self.engaged.kept + 15u) & ~15ull;
  if (bytes > kept_most || begin + bytes > kept_most) return nullptr;
  self.engaged.kept = static_cast<uint16_t>(begin + bytes);
  return reinterpret_cast<void*>(block_of(self) + kept_offset + begin);
}

long call(long number, long a, long b, long c, long d, long e, long f) {
  return arch::raw_syscall(number, a, b, c, d, e, f);
}

void rollback(sctrace_call* call) { call->result = call->asked; }

bool has_tid(const ThreadState& state, void* tid) {
  return state.tid == *static_cast<uint32_t*>(tid);
}

int report(int32_t tid) {
  auto wanted = static_cast<uint32_t>(tid);
  ThreadState* state = find_thread(has_tid, &wanted);
  if (!state) return -ESRCH;
  __atomic_store_n(&state->engaged.wake, 1, __ATOMIC_RELEASE);  // pairs with wait_for_report()
  arch::raw_syscall(__NR_futex, &state->engaged.wake, FUTEX_WAKE_PRIVATE, 1);
  return 0;
}

void speak(const char* text) { say(Level::warn, text); }

void raise(sctrace_call* call, int32_t number) {
  if (number >= 0 && number <= 64) shown(call).self->engaged.raised = number;
}

int want(const char* calls) {
  uint8_t traced[facts_most];
  bool unknown = false;
  char bad[64];
  if (!being_opened || !parse_trace(calls, traced, unknown, bad, sizeof bad)) return -EINVAL;
  for (uint32_t nr = 0; nr < facts_most; ++nr) {
    const uint64_t bit = 1ull << nr % 64;
    uint64_t& word = being_opened->wants[nr / 64];
    word = (name_of_call(nr) ? traced[nr] != 0 : unknown) ? word | bit : word & ~bit;
  }
  return 0;
}

long number_of(const char* name) {
  for (uint32_t nr = 0; nr < facts_most; ++nr) {
    const char *a = name_of_call(nr), *b = name;
    while (a && *a && *a == *b) ++a, ++b;
    if (a && *a == *b) return nr;
  }
  return -1;
}

}  // namespace

constinit const sctrace_services services = {SCTRACE_ENGINE_ABI,
                                             sizeof(sctrace_services),
                                             read,
                                             write,
                                             read_string,
                                             keep,
                                             call,
                                             rollback,
                                             report,
                                             speak,
                                             raise,
                                             want,
                                             number_of};

}  // namespace sctrace::preload
