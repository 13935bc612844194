#include "preload/frame_rules.h"

#include "preload/frame_program.h"

namespace sctrace::preload {

constinit std::atomic<uint64_t> frame_rules[1 << rule_bits]{};

namespace {

// `begin` is stored last and taken away first: 0 free, 1 being filled in.
struct Known {
  std::atomic<uint64_t> begin, end;
  std::atomic<uint64_t> index, index_end;    // .eh_frame_hdr
  std::atomic<uint64_t> frames, frames_end;  // the segment with .eh_frame
};
constexpr uint32_t known_most = 1024;
constinit Known all[known_most]{};
std::atomic<uint32_t> known_count;  // places of `all` that were ever used

// Counts what was forgotten: a rule that was read meanwhile may be of what is gone.
std::atomic<uint64_t> forgotten;
std::atomic<bool> any_learned;  // the table was written to: clearing it is a touch of 16 pages

// After all[] was changed. Who read it before finds that out (learn_frame_rule), or wrote before.
void clear_rules() {
  ++forgotten;
  if (!any_learned.load()) return;
  for (auto& word : frame_rules) word.store(0, std::memory_order_relaxed);
}

bool find(uint64_t pc, FrameTable& table) {
  const uint32_t count = known_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count && i < known_most; ++i) {
    const Known& one = all[i];
    const uint64_t begin = one.begin.load(std::memory_order_acquire);
    if (begin <= 1 || pc < begin || pc >= one.end.load(std::memory_order_relaxed)) continue;
    table = {
        one.index.load(std::memory_order_relaxed), one.index_end.load(std::memory_order_relaxed),
        one.frames.load(std::memory_order_relaxed), one.frames_end.load(std::memory_order_relaxed)};
    // acquire: what was loaded before is of this object if it is still here
    std::atomic_thread_fence(std::memory_order_acquire);
    return one.begin.load(std::memory_order_relaxed) == begin;
  }
  return false;
}

}  // namespace

[[gnu::noinline]] FrameRule learn_frame_rule(uint64_t pc) {
  const uint64_t high = pc >> rule_bits;
  if (pc - 4096 >= (uint64_t{1} << 47) - 4096) return {};
  const uint64_t before = forgotten.load(std::memory_order_acquire);
  FrameTable table;
  const FrameRule rule = find(pc - 1, table) ? read_frame_rule(table, pc - 1) : FrameRule{};
  const uint64_t index = (pc ^ high ^ high >> rule_bits) & ((1 << rule_bits) - 1);
  any_learned.store(true);
  // exchange: stored before the count is looked at again; pairs with clear_rules()
  frame_rules[index].exchange(high << place_shift | rule.word());
  if (forgotten.load() != before) frame_rules[index].store(0, std::memory_order_relaxed);
  return rule;
}

void know_frames(const rewriter::Object& object) {
  if (object.eh_frame_hdr.bytes.empty() || object.frames.bytes.empty()) return;
  forget_frames(object.text.address, object.text.end());
  for (uint32_t i = 0; i < known_most; ++i) {
    Known& one = all[i];
    uint64_t free = 0;
    if (!one.begin.compare_exchange_strong(free, 1)) continue;
    one.end.store(object.text.end(), std::memory_order_relaxed);
    one.index.store(object.eh_frame_hdr.address, std::memory_order_relaxed);
    one.index_end.store(object.eh_frame_hdr.end(), std::memory_order_relaxed);
    one.frames.store(object.frames.address, std::memory_order_relaxed);
    one.frames_end.store(object.frames.end(), std::memory_order_relaxed);
    one.begin.store(object.text.address, std::memory_order_release);
    uint32_t count = known_count.load();
    while (count <= i && !known_count.compare_exchange_weak(count, i + 1)) {
    }
    return clear_rules();  // what was looked up here before found nothing, and that was kept
  }
}

void forget_frames(uint64_t begin, uint64_t end) {
  bool any = false;
  const uint32_t count = known_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count && i < known_most; ++i) {
    Known& one = all[i];
    uint64_t there = one.begin.load(std::memory_order_acquire);
    if (there <= 1 || there >= end || one.end.load(std::memory_order_relaxed) <= begin) continue;
    any |= one.begin.compare_exchange_strong(there, 0);
  }
  if (any) clear_rules();
}

}  // namespace sctrace::preload
