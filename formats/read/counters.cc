#include "formats/read/counters.h"

#include <algorithm>
#include <cstring>

#include "formats/read/trace_file.h"

namespace sctrace::read {

namespace {

// wire::Counter as bytes of a file.
struct Bytes {
  uint64_t calls, errors, ticks, shortest, longest, reserved[3];
  uint64_t steps[wire::counter_steps];
};
static_assert(sizeof(Bytes) == sizeof(wire::Counter));

// Of a thread that makes few kinds of calls nearly all is a hole.
void read_table(const File& file, uint64_t at, std::vector<Bytes>& table) {
  constexpr uint64_t page = 4096;
  const uint64_t end = at + wire::counters_bytes;
  std::fill(table.begin(), table.end(), Bytes{});
  auto* bytes = reinterpret_cast<char*>(table.data());
  for (uint64_t from = at; (from = file.next_data(from)) < end;) {
    const uint64_t until = std::min(end, (from / page + 1) * page);
    if (file.read(from, bytes + (from - at), until - from) < until - from) return;
    from = until;
  }
}

}  // namespace

bool has_counters(const Trace& trace) {
  return std::any_of(trace.images().begin(), trace.images().end(),
                     [](const Image& image) { return image.mode == wire::Mode::counts; });
}

void each_counted(const Image& image, const std::function<void(const Counted&)>& act) {
  if (image.mode != wire::Mode::counts) return;
  const File file(image.ring_file);
  std::vector<Bytes> table(wire::counter_numbers);
  for (uint32_t n = 0; n < image.slots.size(); ++n) {
    read_table(file, image.slot_offset(n) + wire::ring_header_bytes, table);
    for (uint32_t nr = 0; nr < wire::counter_numbers; ++nr) {
      const Bytes& one = table[nr];
      if (!one.calls) continue;
      Counted counted{.pid = image.slots[n].pid,
                      .tid = image.slots[n].tid,
                      .nr = nr,
                      .calls = one.calls,
                      .errors = one.errors,
                      .ticks = one.ticks,
                      .shortest = one.shortest,
                      .longest = one.longest,
                      .steps = {}};
      std::memcpy(counted.steps, one.steps, sizeof counted.steps);
      act(counted);
    }
  }
}

}  // namespace sctrace::read
