#include "rewriter/rewrite.h"

#include <atomic>

namespace sctrace::rewriter {
namespace {

// Zero-initialised: nothing runs at load time.
struct Doors {
  std::span<Stub> table;
  uint32_t used;
  Bank banks[banks_max];
  std::atomic<uint32_t>
      bank_count;  // release when a bank is whole: pairs with the acquire in banks()
};
constinit Doors doors{};

// What one call of rewrite() carries about.
struct Job {
  std::span<const Object> objects;
  std::span<std::span<Plan>> plans;  // one span an object
  uint64_t trampoline;
  std::span<Site> left;
  uint32_t& left_count;
  Report& report;
  bool alone;

  void settle(const Plan& plan) const {
    report.count(plan.site.tactic, plan.site.refusal);
    if (plan.site.tactic == Tactic::trap && left_count < left.size())
      left[left_count++] = plan.site;
  }
};

// What was planned turned out not to be possible. A site that was left to the trap before keeps its
// reason.
void refuse(Plan& plan, Refusal refusal) {
  if (plan.site.tactic == Tactic::trap) return;
  plan.site.tactic = Tactic::trap;
  plan.site.refusal = refusal;
}

void refuse_all(const Job& job, Refusal refusal) {
  for (const auto plans : job.plans)
    for (Plan& plan : plans) refuse(plan, refusal);
}

size_t doors_in(std::span<const Plan> plans) {
  size_t count = 0;
  for (const Plan& plan : plans) count += plan.site.tactic != Tactic::trap;
  return count;
}

// Room for the stubs of objects [first, last), near all of them that have any.
Arena arena_for(const Job& job, size_t first, size_t last) {
  uint64_t low = ~0ull, high = 0;
  size_t count = 0;
  for (size_t i = first; i < last; ++i) {
    const size_t here = doors_in(job.plans[i]);
    if (!here) continue;
    const Bytes& text = job.objects[i].text;
    low = text.address < low ? text.address : low;
    high = text.end() > high ? text.end() : high;
    count += here;
  }
  return count ? map_near(low, high, count * stub_max) : Arena{};
}

// Builds the stubs of one object from `at` on, and returns the end of the last. The bank is not
// published yet.
uint64_t build_bank(const Job& job, size_t object, Arena arena, uint64_t at, Bank& bank) {
  const Bytes& text = job.objects[object].text;
  bank = {.arena = arena,
          .text_begin = text.address,
          .text_end = text.end(),
          .stubs_begin = at,
          .stubs_end = at,
          .first = doors.used,
          .count = 0,
          .protection = job.objects[object].protection};
  for (Plan& plan : job.plans[object]) {
    if (plan.site.tactic == Tactic::trap) continue;
    if (doors.used == doors.table.size()) {
      refuse(plan, Refusal::no_room);
      continue;
    }
    const Refusal refusal = build_stub(plan, text, at, job.trampoline, doors.used,
                                       reinterpret_cast<uint8_t*>(at), doors.table[doors.used]);
    if (refusal != Refusal::none) {
      refuse(plan, refusal);
      continue;
    }
    at += doors.table[doors.used++].size;
  }
  bank.count = doors.used - bank.first;
  bank.stubs_end = at;
  return at;
}

void patch_bank(const Job& job, size_t object, const Bank& bank, Writer& writer) {
  uint32_t index = bank.first;
  if (job.alone) (void)writer.try_open_text(bank.text_begin, bank.text_end, bank.protection);
  for (Plan& plan : job.plans[object]) {
    if (plan.site.tactic == Tactic::trap) continue;
    const Refusal refusal = patch(doors.table[index++], writer, bank.protection);
    if (refusal != Refusal::none) refuse(plan, refusal);
  }
  writer.close_text();
}

// Stubs for objects [first, last) in one arena, and their patches. False when there is no such
// arena.
bool try_build(const Job& job, size_t first, size_t last, Writer& writer) {
  Arena arena = arena_for(job, first, last);
  if (!arena.size) return false;
  const uint32_t banks_before = doors.bank_count.load(std::memory_order_relaxed);
  const uint32_t stubs_before = doors.used;
  uint32_t banks = banks_before;
  uint64_t at = arena.begin;
  for (size_t i = first; i < last; ++i)
    if (doors_in(job.plans[i])) at = build_bank(job, i, arena, at, doors.banks[banks++]);
  if (at == arena.begin || !try_seal(arena, at - arena.begin)) {
    unmap(arena);
    doors.used = stubs_before;
    return false;
  }
  for (uint32_t i = banks_before; i < banks; ++i) doors.banks[i].arena = arena;
  doors.bank_count.store(banks, std::memory_order_release);
  uint32_t bank = banks_before;
  for (size_t i = first; i < last && bank < banks; ++i)
    if (doors.banks[bank].text_begin == job.objects[i].text.address)
      patch_bank(job, i, doors.banks[bank++], writer);
  return true;
}

void build_all(const Job& job) {
  Writer writer;
  const size_t count = job.objects.size();
  if (doors.bank_count.load(std::memory_order_relaxed) + count > banks_max)
    return refuse_all(job, Refusal::no_room);
  if (try_build(job, 0, count, writer)) return;
  for (size_t i = 0; i < count; ++i)
    if (!try_build(job, i, i + 1, writer))
      for (Plan& plan : job.plans[i]) refuse(plan, Refusal::no_memory);
}

const Bank* bank_of_text(uint64_t address) {
  const Bank* found = nullptr;  // the newest: an older object may have lain there
  for (const Bank& bank : banks())
    if (address >= bank.text_begin && address < bank.text_end) found = &bank;
  return found;
}

std::span<Stub> stubs_in(const Bank& bank) { return doors.table.subspan(bank.first, bank.count); }

// The last stub of a bank for which `key` is at most `value`.
const Stub* last_up_to(const Bank& bank, uint64_t Stub::*key, uint64_t value) {
  const auto stubs = stubs_in(bank);
  size_t low = 0, high = stubs.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (stubs[middle].*key <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? &stubs[low - 1] : nullptr;
}

// The stub whose window holds the address: near its site, so only few stubs are looked at.
const Stub* stub_of_window(uint64_t pc) {
  const Bank* bank = bank_of_text(pc);
  if (!bank || !bank->count) return nullptr;
  constexpr uint64_t near = 160;  // a short jmp and the longest window
  const Stub* first = stubs_in(*bank).data();
  const Stub* stub = last_up_to(*bank, &Stub::site, pc + near);
  for (; stub && stub >= first && stub->site + near > pc; --stub)
    if (pc == stub->site || (pc >= stub->window && pc < stub->window + stub->window_bytes))
      return stub;
  return nullptr;
}

template <typename Act>
uint32_t each_in(uint64_t begin, uint64_t end, Act act) {
  uint32_t refused = 0;
  Writer writer;
  for (const Bank& bank : banks())
    for (Stub& stub : stubs_in(bank))
      if (stub.site >= begin && stub.site < end &&
          act(stub, writer, bank.protection) != Refusal::none)
        ++refused;
  return refused;
}

}  // namespace

uint32_t rewrite(std::span<const Object> objects, uint64_t trampoline, Region& scratch,
                 std::span<Stub> table, std::span<Site> left, uint32_t& left_count, Report& report,
                 bool alone) {
  const size_t scratch_used = scratch.used;
  const auto room = scratch.rest<std::span<Plan>>();
  if (room.size() < objects.size()) return doors.used;
  const Job job{objects, room.first(objects.size()), trampoline, left, left_count, report, alone};
  scratch.keep<std::span<Plan>>(objects.size());
  doors.table = table;
  for (size_t i = 0; i < objects.size(); ++i)
    job.plans[i] = plan_object(objects[i], scratch, report);
  build_all(job);
  for (const auto plans : job.plans)
    for (const Plan& plan : plans) job.settle(plan);
  scratch.used = scratch_used;
  return doors.used;
}

std::span<const Bank> banks() {
  return {doors.banks, doors.bank_count.load(std::memory_order_acquire)};
}

const Stub* stub_of(uint64_t pc) {
  for (const Bank& bank : banks()) {
    if (pc < bank.stubs_begin || pc >= bank.stubs_end) continue;
    return last_up_to(bank, &Stub::begin, pc);
  }
  const Stub* stub = stub_of_window(pc);
  return stub && stub->patched && stub->tactic == Tactic::pad && pc != stub->site ? stub : nullptr;
}

const Stub* stub_at(uint64_t site) {
  const Bank* bank = bank_of_text(site);
  const Stub* stub = bank ? last_up_to(*bank, &Stub::site, site) : nullptr;
  return stub && stub->site == site ? stub : nullptr;
}

uint64_t relocated(uint64_t pc) {
  const Stub* stub = stub_of_window(pc);
  return stub && stub->patched ? patched_pc(*stub, pc) : pc;
}

uint32_t undo(uint64_t begin, uint64_t end) { return each_in(begin, end, unpatch); }
uint32_t redo(uint64_t begin, uint64_t end) { return each_in(begin, end, patch); }

void forget(uint64_t begin, uint64_t end) {
  const uint32_t count = doors.bank_count.load(std::memory_order_relaxed);
  for (Bank& bank : std::span(doors.banks, count)) {
    if (bank.text_begin >= end || bank.text_end <= begin) continue;
    for (Stub& stub : stubs_in(bank))
      if (stub.site >= begin && stub.site < end) stub.patched = false, stub.tactic = Tactic::trap;
    // Its stubs stay findable by their own addresses.
    if (bank.text_begin >= begin && bank.text_end <= end) bank.text_begin = bank.text_end = 0;
  }
}

void forget_all() {
  doors.bank_count.store(0, std::memory_order_relaxed);
  doors.used = 0;
  doors.table = {};
}

}  // namespace sctrace::rewriter
