#include "formats/read/live.h"

#include <ctime>

#include "arch/x86_64/clock.h"

namespace sctrace::read {

namespace {
uint64_t clock_ns(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}
}  // namespace

wire::Anchor clocks_now() {
  wire::Anchor now{};
  const uint64_t before = arch::ticks();
  now.monotonic = clock_ns(CLOCK_MONOTONIC);
  now.tsc = before + (arch::ticks() - before) / 2;
  now.realtime = clock_ns(CLOCK_REALTIME);
  return now;
}

LiveTrace::LiveTrace(const std::string& directory)
    : trace_(directory), timeline_(trace_, Timeline::Live{}) {}

void LiveTrace::look(bool running) {
  const wire::Anchor now = clocks_now();
  trace_.grow(running ? now : wire::Anchor{});
  timeline_.grow(running ? trace_.clock().ns(now.tsc) : UINT64_MAX);
}

void LiveTrace::finish() {
  trace_.grow({});
  timeline_.grow(UINT64_MAX);
  timeline_.finish();
}

}  // namespace sctrace::read
