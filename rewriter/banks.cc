#include "rewriter/banks.h"

#include "arch/x86_64/frame.h"
#include "rewriter/passing.h"

namespace sctrace::rewriter {
namespace {

// Zero-initialised: nothing runs at load time.
constinit Registry all{};

uint64_t end_of(const uint64_t& end) { return __atomic_load_n(&end, __ATOMIC_ACQUIRE); }
void set_end(uint64_t& end, uint64_t value) { __atomic_store_n(&end, value, __ATOMIC_RELEASE); }

bool holds(uint64_t begin, uint64_t end, uint64_t address) {
  return address >= begin && address < end;
}

const Bank* bank_of_stub(uint64_t address) {
  for (const Bank& bank : banks())
    if (const uint64_t end = end_of(bank.stubs_end); holds(bank.stubs_begin, end, address))
      return &bank;
  return nullptr;
}

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

bool has_text(const Bank& bank, uint64_t address) {
  const uint64_t end = end_of(bank.text_end);
  return holds(bank.text_begin, end, address);
}

// The stub whose window holds the address: near its site, so only few stubs are looked at. A text
// may have two banks: one by its frames and one by a Go table.
const Stub* stub_of_window(uint64_t pc) {
  constexpr uint64_t near = 160;  // a short jmp and the longest window
  for (const Bank& bank : banks()) {
    if (!has_text(bank, pc) || !bank.count) continue;
    const Stub* first = stubs_in(bank).data();
    const Stub* stub = last_up_to(bank, &Stub::site, pc + near);
    for (; stub && stub >= first && stub->site + near > pc; --stub)
      if (pc == stub->site || holds(stub->window, stub->window + stub->window_bytes, pc))
        return stub;
  }
  return nullptr;
}

// Is the text there what it was before the patch?
bool is_given_back(const Stub& stub) {
  const auto is = [](uint64_t address, const uint8_t* bytes, unsigned size) {
    uint8_t there[window_max];
    return !sctrace_copy(there, reinterpret_cast<const void*>(address), size) &&
           is_same(there, bytes, size);
  };
  return is(stub.window, stub.original, stub.window_bytes) &&
         is(stub.site, stub.original + stub.window_bytes, syscall_bytes);
}

// Also once it is padding again, where nobody runs: a signal may have found a thread there before,
// and be asked about it only now.
const Stub* stub_of_padding(uint64_t pc) {
  const Stub* stub = stub_of_window(pc);
  if (!stub || stub->tactic != Tactic::pad || pc == stub->site) return nullptr;
  return stub->patched || is_given_back(*stub) ? stub : nullptr;
}

template <typename Act>
uint32_t each_in(uint64_t begin, uint64_t end, Running running, Act act) {
  uint32_t refused = 0;
  Writer writer(running);
  for (const Bank& bank : banks()) {
    if (!bank.text_end || bank.text_begin >= end || bank.text_end <= begin) continue;
    for (Stub& stub : stubs_in(bank))
      if (stub.site >= begin && stub.site < end &&
          act(stub, writer, bank.protection) != Refusal::none)
        ++refused;
  }
  return refused;
}

bool is_shared(const Arena& arena, const Bank& by) {
  for (const Bank& bank : banks())
    if (&bank != &by && bank.stubs_end && bank.arena.begin == arena.begin) return true;
  return false;
}

// Whoever still runs in these stubs runs for a text that is no more.
void retire(Bank& bank) {
  set_end(bank.text_end, 0);
  if (!bank.late || is_shared(bank.arena, bank)) return;  // findable by their own addresses
  set_end(bank.stubs_end, 0);
  unmap(bank.arena);
}

}  // namespace

Registry& registry() { return all; }

// acquire: pairs with the release in publish()
std::span<const Bank> banks() { return {all.banks, __atomic_load_n(&all.count, __ATOMIC_ACQUIRE)}; }

std::span<Stub> stubs_in(const Bank& bank) { return all.table.subspan(bank.first, bank.count); }

Bank* place_for(uint32_t stubs) {
  for (Bank& bank : std::span(all.banks, all.count))
    if (!bank.stubs_end && bank.room >= stubs) return &bank;
  if (all.count == banks_max || all.table.size() - all.used < stubs) return nullptr;
  Bank& bank = all.banks[all.count];
  bank.first = all.used;
  bank.room = stubs;
  return &bank;
}

void publish(Bank& place, const Bank& bank) {
  const uint32_t first = place.first, room = place.room;
  const bool fresh = &place == &all.banks[all.count];
  place = bank;
  place.text_end = place.stubs_end = 0;
  place.first = first, place.room = room;
  place.born = all.births++;
  set_end(place.text_end, bank.text_end);
  set_end(place.stubs_end, bank.stubs_end);
  if (!fresh) return;
  all.used = first + room;
  __atomic_store_n(&all.count, all.count + 1, __ATOMIC_RELEASE);
}

const Stub* stub_of(uint64_t pc) {
  if (const Bank* bank = bank_of_stub(pc)) {
    const Stub* stub = last_up_to(*bank, &Stub::begin, pc);
    return stub && pc - stub->begin < stub->size ? stub : nullptr;
  }
  return stub_of_padding(pc);
}

bool is_between_jumps(uint64_t pc) { return stub_of_padding(pc); }

const Stub* stub_at(uint64_t site) {
  for (const Bank& bank : banks()) {
    const Stub* stub = has_text(bank, site) ? last_up_to(bank, &Stub::site, site) : nullptr;
    if (stub && stub->site == site) return stub;
  }
  return nullptr;
}

uint64_t relocated(uint64_t pc) {
  const Stub* stub = stub_of_window(pc);
  return stub && stub->patched ? patched_pc(*stub, pc) : pc;
}

uint64_t instead_of(uint64_t pc) {
  const Stub* stub = stub_of_window(pc);
  if (!stub || stub->tactic == Tactic::trap) return 0;
  if (stub->tactic == Tactic::pad) return pc == stub->site ? stub->entry_jump : 0;
  return pc == stub->window ? stub->begin : 0;
}

namespace {

bool has_open_pads(uint64_t begin, uint64_t end) {
  for (const Bank& bank : std::span(all.banks, all.count))
    for (const Stub& stub : stubs_in(bank))
      if (stub.patched && stub.tactic == Tactic::pad && stub.site >= begin && stub.site < end)
        return true;
  return false;
}

}  // namespace

uint32_t undo(uint64_t begin, uint64_t end, Running running) {
  if (running == Running::anybody && has_open_pads(begin, end)) {
    (void)each_in(begin, end, running, close_site);
    let_others_pass(is_between_jumps);
  }
  return each_in(begin, end, running, unpatch);
}
uint32_t redo(uint64_t begin, uint64_t end, Running running) {
  return each_in(begin, end, running, patch);
}

void forget(uint64_t begin, uint64_t end, uint64_t born) {
  for (Bank& bank : std::span(all.banks, all.count)) {
    if (!bank.text_end || bank.born >= born) continue;
    if (bank.text_begin >= end || bank.text_end <= begin) continue;
    for (Stub& stub : stubs_in(bank))
      if (stub.site >= begin && stub.site < end) stub.patched = false, stub.tactic = Tactic::trap;
    if (bank.text_begin >= begin && bank.text_end <= end) retire(bank);
  }
}

uint64_t births() { return all.births; }

bool has_text_in(uint64_t begin, uint64_t end) {
  for (const Bank& bank : banks())
    if (const uint64_t last = end_of(bank.text_end); last && bank.text_begin < end && last > begin)
      return true;
  return false;
}

void forget_all() { all = {}; }

}  // namespace sctrace::rewriter
