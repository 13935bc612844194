// Any bytes as text and sections: the planner must not crash, hang, read outside, or plan a patch
// that breaks its promises. Input: two sizes (text, .eh_frame_hdr; 16 bits each), then text,
// .eh_frame_hdr, .eh_frame.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "arch/x86_64/encode.h"
#include "rewriter/plan.h"
#include "rewriter/stub.h"

using namespace sctrace::rewriter;

extern "C" long sctrace_raw_syscall(long, long, long, long, long, long, long) { std::abort(); }

namespace {

// Close together, so that random 32-bit distances have a chance.
constexpr uint64_t text_address = 0x10000, hdr_address = 0x30000, frames_address = 0x50000;

void promise(bool kept) {
  if (!kept) std::abort();
}

// A decode from the function's start arrives at every end of the window.
void check_boundaries(const Plan& plan, const Bytes& text) {
  if (plan.site.tactic == Tactic::pad) return;
  const uint64_t ends[] = {plan.window, plan.window + plan.window_bytes, plan.site.address};
  unsigned met = 0;
  for (uint64_t at = first_insn(plan.function, text); at <= ends[1];) {
    for (const uint64_t end : ends) met += at == end;
    const auto insn = decode(text.from(at), at);
    if (!insn) break;
    at += insn->length;
  }
  promise(met >= 3);
}

void check_plan(const Plan& plan, const Bytes& text) {
  promise(text.part(plan.site.address, 2).size() == 2);
  if (plan.site.tactic == Tactic::trap) return promise(plan.site.refusal != Refusal::none);
  promise(plan.site.refusal == Refusal::none);
  promise(plan.window_bytes >= jump_bytes && plan.window_bytes <= window_max);
  promise(text.holds(plan.window, plan.window_bytes));
  if (plan.site.tactic == Tactic::pad)
    promise(sctrace::arch::encode::short_jump(plan.site.address, plan.window).has_value());
  check_boundaries(plan, text);
  uint8_t code[stub_max];
  Stub stub;
  const Refusal refusal = build_stub(plan, text, 0x100000, 0x200000, 0, code, stub);
  promise(refusal == Refusal::none || refusal == Refusal::out_of_reach);
  promise(refusal != Refusal::none || stub.size <= stub_max);
}

bool is_overlapping(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

void check_pairs(std::span<const Plan> plans) {
  for (const Plan& one : plans)
    for (const Plan& other : plans) {
      if (&one == &other || one.site.tactic == Tactic::trap) continue;
      promise(!is_overlapping(one.window, one.window_bytes, other.site.address, 2));
      if (other.site.tactic != Tactic::trap)
        promise(!is_overlapping(one.window, one.window_bytes, other.window, other.window_bytes));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  uint16_t sizes[2];
  std::memcpy(sizes, data, sizeof sizes);
  const std::span<const uint8_t> rest{data + 4, size - 4};
  const size_t text_size = std::min<size_t>(sizes[0], rest.size());
  const size_t hdr_size = std::min<size_t>(sizes[1], rest.size() - text_size);
  const std::vector<uint8_t> text(rest.begin(), rest.begin() + text_size);
  const std::vector<uint8_t> hdr(rest.begin() + text_size, rest.begin() + text_size + hdr_size);
  const std::vector<uint8_t> frames(rest.begin() + text_size + hdr_size, rest.end());
  Object object;
  object.text = {text, text_address};
  object.eh_frame_hdr = {hdr, hdr_address};
  object.frames = {frames, frames_address};
  alignas(8) static uint8_t memory[1 << 18];
  Region region{memory, sizeof memory, 0};
  Report report;
  const auto plans = plan_object(object, region, report);
  promise(plans.size() + report.not_on_boundary + report.forgotten == report.candidates);
  for (const Plan& plan : plans) check_plan(plan, object.text);
  check_pairs(plans);
  return 0;
}
