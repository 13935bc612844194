// Any bytes as a file of kept plans, and any rows in a file that is whole: what is taken must lie
// in the text, and nothing that is built from it may read or write outside. Input: a count of rows,
// for each eight bytes, then the text.
#include <cstdlib>
#include <vector>

#include "rewriter/cache.h"
#include "rewriter/stub.h"

using namespace sctrace::rewriter;

extern "C" long sctrace_raw_syscall(long, long, long, long, long, long, long) { std::abort(); }

namespace {

constexpr uint64_t text_address = 0x10000;

void promise(bool kept) {
  if (!kept) std::abort();
}

template <typename T>
T take(std::span<const uint8_t>& from) {
  T value{};
  if (from.size() < sizeof value) return value;
  std::memcpy(&value, from.data(), sizeof value);
  from = from.subspan(sizeof value);
  return value;
}

Plan plan_from(std::span<const uint8_t>& in) {
  Plan plan;
  plan.site.address = text_address + take<uint16_t>(in);
  plan.window = plan.site.address + static_cast<uint64_t>(int64_t{take<int16_t>(in)});
  plan.window_bytes = take<uint8_t>(in);
  plan.site.tactic = static_cast<Tactic>(take<uint8_t>(in));
  plan.site.refusal = static_cast<Refusal>(take<uint8_t>(in));
  take<uint8_t>(in);
  return plan;
}

void check(std::span<const uint8_t> file, std::span<const uint8_t> key, const Bytes& text,
           Region memory) {
  const auto kept = KeptPlans::open(file, key, text);
  if (!kept) return;
  kept->each_write(text, [&](uint64_t at, uint64_t size) { promise(text.holds(at, size)); });
  Report report;
  if (!kept->match(text)) return;
  const auto plans = kept->plans(text, memory, report);
  if (!plans) return;
  for (const Plan& plan : *plans) {
    uint8_t code[stub_max];
    Stub stub;
    if (plan.site.tactic != Tactic::trap)
      (void)build_stub(plan, text, 0x100000, 0x200000, 0, code, stub);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  alignas(8) static uint8_t memory[1 << 18];
  std::span<const uint8_t> in{data, size};
  const unsigned rows = take<uint8_t>(in);
  std::vector<Plan> plans;
  for (unsigned i = 0; i < rows && in.size() >= 8; ++i) plans.push_back(plan_from(in));
  const std::vector<uint8_t> bytes(in.begin(), in.end());
  const Bytes text{bytes, text_address};
  static constexpr uint8_t key[] = {1, 2, 3};
  Region region{memory, sizeof memory, 0};
  Report counts;
  counts.candidates = static_cast<uint32_t>(plans.size());
  const auto file = keep_plans(key, text, plans, counts, region);
  check(std::vector<uint8_t>(file.begin(), file.end()), key, text, region);
  check({data, size}, key, text, region);
  return 0;
}
