#include "rewriter/rewrite.h"

#include <sys/syscall.h>

#include "arch/x86_64/frame.h"
#include "rewriter/cache.h"

namespace sctrace::rewriter {
namespace {

constexpr uint64_t page = 4096;
constexpr uint64_t stub_usual = 48;  // bytes of one, where the trampoline is near

// What one call of rewrite() carries about.
struct Job {
  std::span<const Object> objects;
  std::span<std::span<Plan>> plans;  // one span an object
  uint64_t trampoline;
  std::span<Site> left;
  uint32_t& left_count;
  Report& report;
  bool alone;
  const PlanStore* store;
  bool shut;

  void settle(const Plan& plan) const {
    report.count(plan.site.tactic, plan.site.refusal);
    if (plan.site.tactic == Tactic::trap && left_count < left.size())
      left[left_count++] = plan.site;
  }
};

// Pages that lie together, to be asked for by one call.
class Pages {
 public:
  ~Pages() { ask(); }
  void add(uint64_t address, uint64_t size) {
    const uint64_t first = address & ~(page - 1), last = (address + size - 1) & ~(page - 1);
    if (first > end_ || first < begin_) ask(), begin_ = end_ = first;
    if (last + page > end_) end_ = last + page;
  }

 private:
  void ask() const {
    constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, Linux 5.14; else a fault each, later
    if (end_ > begin_) arch::raw_syscall(SYS_madvise, begin_, end_ - begin_, populate_write);
  }
  uint64_t begin_ = 0, end_ = 0;
};

// Makes the pages private that patching will write to, and leaves the text open for it. A page that
// is read first is mapped twice, and the second time costs double.
void touch(const Object& object, const KeptPlans& kept, Writer& writer) {
  const Bytes& text = object.text;
  bool open = false, asked = false;
  Pages pages;
  kept.each_write(text, [&](uint64_t address, uint64_t size) {
    if (!asked) open = writer.try_open_text(text.address, text.end(), object.protection);
    asked = true;
    if (open) pages.add(address, size);
  });
}

std::optional<std::span<Plan>> recall(const Job& job, const Object& object,
                                      const PlanStore::Kept& found, Writer& writer,
                                      Region& memory) {
  const auto kept = KeptPlans::open(found.file, found.key, object.text);
  if (!kept) return std::nullopt;
  if (job.alone && !job.shut) touch(object, *kept, writer);
  if (!kept->match(object.text)) return std::nullopt;
  return kept->plans(object.text, memory, job.report);
}

std::span<Plan> plan_one(const Job& job, size_t index, Writer& writer, Region& memory) {
  const Object& object = job.objects[index];
  if (!job.store) return plan_object(object, memory, job.report);
  const PlanStore::Kept found = job.store->take(index, memory);
  if (!found.file.empty())
    if (const auto plans = recall(job, object, found, writer, memory)) return *plans;
  Report counts;
  const auto plans = plan_object(object, memory, counts);
  job.report.add(counts);
  if (found.key.empty()) return plans;
  const size_t used = memory.used;
  const auto file = keep_plans(found.key, object.text, plans, counts, memory);
  if (!file.empty()) job.store->put(index, file);
  memory.used = used;
  return plans;
}

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

// Builds the stubs of one object from `at` on, in the table from bank.first on, and returns the end
// of the last. The bank is not published yet.
uint64_t build_bank(const Object& object, std::span<Plan> plans, uint64_t trampoline, uint64_t at,
                    Bank& bank) {
  const std::span<Stub> table = registry().table;
  bank.text_begin = object.text.address, bank.text_end = object.text.end();
  bank.stubs_begin = at;
  bank.protection = object.protection;
  for (Plan& plan : plans) {
    if (plan.site.tactic == Tactic::trap) continue;
    const uint32_t index = bank.first + bank.count;
    if (bank.count == bank.room || index >= table.size()) {
      refuse(plan, Refusal::no_room);
      continue;
    }
    const Refusal refusal = build_stub(plan, object.text, at, trampoline, index,
                                       reinterpret_cast<uint8_t*>(at), table[index]);
    if (refusal != Refusal::none) {
      refuse(plan, refusal);
      continue;
    }
    at += table[index].size;
    ++bank.count;
  }
  bank.stubs_end = at;
  return at;
}

void patch_bank(std::span<Plan> plans, const Bank& bank, Writer& writer, bool open_text) {
  auto stub = stubs_in(bank).begin();
  if (open_text) (void)writer.try_open_text(bank.text_begin, bank.text_end, bank.protection);
  for (Plan& plan : plans) {
    if (plan.site.tactic == Tactic::trap) continue;
    const Refusal refusal = patch(*stub++, writer, bank.protection);
    if (refusal != Refusal::none) refuse(plan, refusal);
  }
}

// Spares a fault each: 20 us of the 30 pages that libc's stubs take.
void populate(uint64_t begin, uint64_t bytes) {
  Pages pages;
  pages.add(begin, bytes);
}

// Stubs for objects [first, last) in one arena, and their patches. False when there is no such
// arena.
bool try_build(const Job& job, size_t first, size_t last, Writer& writer) {
  Registry& all = registry();
  Arena arena = arena_for(job, first, last);
  if (!arena.size) return false;
  populate(arena.begin, arena.size / stub_max * stub_usual);
  populate(reinterpret_cast<uint64_t>(all.table.data() + all.used),
           arena.size / stub_max * sizeof(Stub));
  uint64_t at = arena.begin;
  uint32_t count = all.count, used = all.used;
  for (size_t i = first; i < last; ++i) {
    if (!doors_in(job.plans[i])) continue;
    Bank& bank = all.banks[count++] = {};
    bank.first = used;
    bank.room = static_cast<uint32_t>(all.table.size()) - used;
    at = build_bank(job.objects[i], job.plans[i], job.trampoline, at, bank);
    used += bank.room = bank.count;
  }
  if (at == arena.begin || !try_seal(arena, at - arena.begin)) return unmap(arena), false;
  for (size_t i = first; i < last; ++i) {
    Bank& bank = all.banks[all.count];
    if (bank.text_begin != job.objects[i].text.address || all.count == count) continue;
    bank.arena = arena;
    publish(bank, Bank(bank));
    if (!job.shut) patch_bank(job.plans[i], bank, writer, job.alone);
  }
  writer.close_texts();
  return true;
}

void build_all(const Job& job, Writer& writer) {
  const size_t count = job.objects.size();
  size_t banks = registry().count;
  for (const auto plans : job.plans) banks += doors_in(plans) != 0;
  if (banks > banks_max) return refuse_all(job, Refusal::no_room);
  if (try_build(job, 0, count, writer)) return;
  for (size_t i = 0; i < count; ++i)
    if (!try_build(job, i, i + 1, writer))
      for (Plan& plan : job.plans[i]) refuse(plan, Refusal::no_memory);
}

}  // namespace

uint32_t rewrite(std::span<const Object> objects, uint64_t trampoline, Region& scratch,
                 std::span<Stub> table, std::span<Site> left, uint32_t& left_count, Report& report,
                 bool alone, const PlanStore* store, bool shut) {
  const size_t scratch_used = scratch.used;
  const auto room = scratch.rest<std::span<Plan>>();
  registry().table = table;
  if (room.size() < objects.size()) return registry().used;
  const Job job{
      objects, room.first(objects.size()), trampoline, left, left_count, report, alone, store,
      shut};
  scratch.keep<std::span<Plan>>(objects.size());
  Writer writer;
  for (size_t i = 0; i < objects.size(); ++i) job.plans[i] = plan_one(job, i, writer, scratch);
  build_all(job, writer);
  for (const auto plans : job.plans)
    for (const Plan& plan : plans) job.settle(plan);
  scratch.used = scratch_used;
  return registry().used;
}

void begin_late(uint32_t first) {
  if (registry().used < first) registry().used = first;
}

bool try_prepare(Late& late, const Object& object, uint64_t trampoline, Region& scratch,
                 Report& report) {
  late.plans = plan_object(object, scratch, report);
  const size_t doors = doors_in(late.plans);
  if (!doors) return false;
  late.place = place_for(static_cast<uint32_t>(doors));
  late.bank.arena = map_near(object.text.address, object.text.end(), doors * stub_max);
  const Refusal refusal = !late.place             ? Refusal::no_room
                          : !late.bank.arena.size ? Refusal::no_memory
                                                  : Refusal::none;
  if (refusal != Refusal::none) {
    for (Plan& plan : late.plans) refuse(plan, refusal);
    return false;
  }
  late.bank.first = late.place->first, late.bank.room = late.place->room;
  const uint64_t begin = late.bank.arena.begin;
  const uint64_t end = build_bank(object, late.plans, trampoline, begin, late.bank);
  late.bank.late = true;
  if (end > begin && try_seal(late.bank.arena, end - begin)) return true;
  for (Plan& plan : late.plans) refuse(plan, Refusal::no_memory);
  return false;
}

void abandon(Late& late) { unmap(late.bank.arena); }

void admit(Late& late) { publish(*late.place, late.bank); }

void commit(Late& late, Running running) {
  Writer writer(running);
  publish(*late.place, late.bank);
  patch_bank(late.plans, *late.place, writer, false);
}

}  // namespace sctrace::rewriter
