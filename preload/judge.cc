#include "preload/judge.h"

#include <asm/unistd.h>
#include <time.h>

#include <array>

#include "arch/arguments.h"
#include "arch/table.h"
#include "formats/wire/expression_paths.h"
#include "preload/capture.h"
#include "preload/global.h"

namespace sctrace::preload {
namespace {

// Apart from the table's rows, as in call_names.h: those hold pointers.
struct Arguments {
  uint8_t count = 0, descriptors = 0, paths = 0;
};
constexpr auto arguments = [] {
  std::array<Arguments, arch::number_limit + 1> all{};
  for (uint32_t nr = 0; nr <= arch::number_limit; ++nr) {
    const arch::Row& row = arch::lookup(nr);
    all[nr] = {row.arity, arch::descriptor_arguments(row), arch::path_arguments(row)};
  }
  return all;
}();

const Arguments& arguments_of(uint32_t nr) {
  return arguments[nr < arch::number_limit ? nr : arch::number_limit];
}

uint64_t paths_of(const ThreadState& self, uint8_t mask) {
  wire::Paths seen(global.config.filter);
  each_path(self, mask, [&](const char* path) { seen.add(path); });
  return seen.bits();
}

wire::Known known(const ThreadState& self, uint32_t nr) {
  const Arguments& is = arguments_of(nr);
  wire::Known call;
  call.argc = is.count ? is.count : 6;
  call.fds = is.descriptors;
  call.nr = nr, call.pid = self.pid, call.tid = self.tid;
  call.args = self.frame.args;
  call.paths = self.judged.paths;
  return call;
}

uint64_t nanoseconds(uint64_t ticks) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(ticks) * global.ns_per_tick >> 32);
}

uint64_t monotonic() {
  timespec now{};
  arch::raw_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

bool admits(ThreadState& self, uint32_t nr) {
  Judged& entry = self.judged;
  entry.paths = 0;
  if (global.config.asks_for_paths) entry.paths = paths_of(self, arguments_of(nr).paths);
  const wire::Truth truth = wire::evaluate(global.config.filter, known(self, nr));
  if (truth == wire::Truth::no) return false;
  entry.later = truth == wire::Truth::unknown;
  return entry.sample++ % global.config.sample == 0;
}

void note_entry(ThreadState& self) {
  Judged& entry = self.judged;
  const RingWriter& out = self.out;
  uint32_t ticks;
  __builtin_memcpy(&ticks, self.out.at(entry.begin) + 4, 4);
  entry.tsc = out.tsc;
  entry.began = out.tsc + ticks;
  entry.calls = out.calls - 1;
  entry.filtered = 0;
  self.in_flight.recording = judged;
}

bool keeps(ThreadState& self, int64_t result) {
  if (!self.judged.later) return true;
  wire::Known call = known(self, static_cast<uint32_t>(self.frame.nr));
  call.ended = true;
  call.result = result;
  call.ns = nanoseconds(arch::ticks() - self.judged.began);
  return wire::evaluate(global.config.filter, call) == wire::Truth::yes;
}

bool try_take_back(ThreadState& self) {
  Judged& entry = self.judged;
  RingWriter& out = self.out;
  if (!entry.filtered) entry.filtered = out.header->filtered.load(std::memory_order_relaxed) + 1;
  out.header->filtered.store(entry.filtered, std::memory_order_relaxed);
  const uint64_t block = global.measures.block_bytes;
  if (entry.begin / block != (entry.end - 1) / block || out.published() != entry.end) return false;
  out.cursor = entry.begin;
  out.tsc = entry.tsc;
  out.calls = entry.calls;
  return true;
}

void settle_records(ThreadState& self) {
  RingWriter& out = self.out;
  // release: pairs with the acquire of `settled` in formats/read/trace.cc
  out.header->settled.store(out.published(), std::memory_order_release);
}

// Against the kernel's clock, over the time that the start has taken or half a millisecond: two
// readings are off by 0.1 us at most, so by 0.02 % in the worst case.
void learn_clock() {
  constexpr uint64_t least = 500'000;
  const wire::Anchor& first = global.measures.first;
  uint64_t now, tsc;
  do tsc = arch::ticks(), now = monotonic();
  while (now - first.monotonic < least);
  global.ns_per_tick = ((now - first.monotonic) << 32) / (tsc - first.tsc);
}

}  // namespace sctrace::preload
