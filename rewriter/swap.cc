#include "rewriter/swap.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/x86_64/frame.h"
#include "rewriter/passing.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

namespace sctrace::rewriter {
namespace {

using arch::raw_syscall;

constexpr uint64_t page = 4096;

struct Range {
  uint64_t begin, end;
  uint64_t size() const { return end - begin; }
};

Range pages_of(const Bank& bank) {
  return {bank.text_begin & ~(page - 1), (bank.text_end + page - 1) & ~(page - 1)};
}

bool is_gone(uint64_t result) { return static_cast<int64_t>(result) < 0; }

// The text as it is, elsewhere; the file's own pages are where it was. 0: not to be had.
uint64_t move_away(const Range& text) {
  const auto copy = static_cast<uint64_t>(raw_syscall(
      SYS_mremap, text.begin, text.size(), text.size(), MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
  return is_gone(copy) ? 0 : copy;
}

// One step for whoever runs there.
bool try_move_back(const Range& text, uint64_t copy) {
  return static_cast<uint64_t>(raw_syscall(SYS_mremap, copy, text.size(), text.size(),
                                           MREMAP_MAYMOVE | MREMAP_FIXED, text.begin)) ==
         text.begin;
}

void drop(const Range& text, uint64_t copy) { raw_syscall(SYS_munmap, copy, text.size()); }

bool try_protect(const Range& text, uint64_t copy, int protection) {
  return raw_syscall(SYS_mprotect, copy, text.size(), protection) == 0;
}

// Two changes lie in a copy as in its text; `away` is how far it lies from there.
bool is_there(uint64_t place, const uint8_t* bytes, unsigned size) {
  uint8_t there[window_max];
  if (size > sizeof there || sctrace_copy(there, reinterpret_cast<const void*>(place), size))
    return false;
  return __builtin_memcmp(there, bytes, size) == 0;
}

void store(uint64_t place, const uint8_t* bytes, unsigned size) {
  auto* to = reinterpret_cast<volatile uint8_t*>(place);
  for (unsigned i = 0; i < size; ++i) to[i] = bytes[i];
}

struct Changes {
  Change all[2];
  unsigned count = 0;
};

Changes changes_of(const Stub& stub) {
  Changes changes;
  if (stub.tactic == Tactic::trap) return changes;  // its text is gone
  changes.all[changes.count++] = jump_over_window(stub);
  if (stub.tactic == Tactic::pad) changes.all[changes.count++] = short_jump_over_site(stub);
  for (unsigned i = 0; i < changes.count; ++i)
    if (!changes.all[i].size) return {};
  return changes;
}

bool try_patch(Stub& stub, uint64_t away) {
  const Changes changes = changes_of(stub);
  if (has_inner_places(stub) || !changes.count) return false;
  for (unsigned i = 0; i < changes.count; ++i)
    if (!is_there(changes.all[i].address + away, changes.all[i].original, changes.all[i].size))
      return false;
  for (unsigned i = 0; i < changes.count; ++i)
    store(changes.all[i].address + away, changes.all[i].bytes, changes.all[i].size);
  return true;
}

// Takes its jump out of bytes at `place`, which are those of [begin, begin + size) of the text.
void restore(const Stub& stub, uint64_t begin, uint8_t* place, uint64_t size) {
  const Changes changes = changes_of(stub);
  for (unsigned i = 0; i < changes.count; ++i)
    for (unsigned n = 0; n < changes.all[i].size; ++n)
      if (const uint64_t at = changes.all[i].address + n - begin; at < size)
        place[at] = changes.all[i].original[n];
}

// All banks of a text: it may have two. The first of them stands for it.
bool is_first_of_text(const Bank& bank) {
  for (const Bank& other : banks()) {
    if (&other == &bank) return true;
    if (other.text_end && other.text_begin == bank.text_begin) return false;
  }
  return true;
}

template <typename Act>
void each_stub(const Bank& first, Act act) {
  for (const Bank& bank : banks())
    if (bank.text_end && bank.text_begin == first.text_begin)
      for (Stub& stub : stubs_in(bank)) act(stub);
}

bool has_patches(const Bank& first) {
  bool any = false;
  each_stub(first, [&](const Stub& stub) { any |= stub.patched; });
  return any;
}

bool lacks_patches(const Bank& first) {
  bool any = false;
  each_stub(first, [&](const Stub& stub) {
    any |= !stub.patched && stub.tactic != Tactic::trap && !has_inner_places(stub);
  });
  return any;
}

// False: the text is as it was.
bool try_open(const Bank& bank) {
  const Range text = pages_of(bank);
  const uint64_t copy = move_away(text);
  if (!copy) return false;
  const bool writable = try_protect(text, copy, PROT_READ | PROT_WRITE);
  if (writable)
    each_stub(bank, [&](Stub& stub) {
      if (!stub.patched) stub.patched = try_patch(stub, copy - text.begin);
    });
  if (try_protect(text, copy, bank.protection) && writable && try_move_back(text, copy))
    return true;
  // What was patched before is in the copy alone; here there were no patches, or there are now.
  each_stub(bank, [](Stub& stub) { stub.patched = false; });
  drop(text, copy);
  return false;
}

// Is the copy, but for our jumps, what the file says? Asks only for pages that somebody changed.
bool is_ours_alone(const Bank& bank, const Range& text, uint64_t copy) {
  const long map = raw_syscall(SYS_openat, -100 /* AT_FDCWD */, "/proc/self/pagemap", 0x80000);
  if (map < 0) return false;
  bool same = true;
  for (uint64_t at = text.begin; same && at < text.end; at += page) {
    uint64_t entry = 0;
    const uint64_t place = copy + at - text.begin;
    same = raw_syscall(SYS_pread64, map, &entry, sizeof entry, place / page * sizeof entry) ==
           sizeof entry;
    const bool is_file = entry >> 61 & 1, is_there_at_all = entry >> 62 & 3;
    if (!same || !is_there_at_all || is_file) continue;
    uint8_t bytes[page];
    __builtin_memcpy(bytes, reinterpret_cast<const void*>(place), page);
    each_stub(bank, [&](const Stub& stub) {
      if (stub.patched) restore(stub, at, bytes, page);
    });
    same = __builtin_memcmp(bytes, reinterpret_cast<const void*>(at), page) == 0;
  }
  raw_syscall(SYS_close, map);
  return same;
}

bool has_pads(const Bank& first) {
  bool any = false;
  each_stub(first, [&](const Stub& s) { any |= s.patched && s.tactic == Tactic::pad; });
  return any;
}

// Sites get their own bytes back, and what leads on in the padding stays: whoever stands between
// the two jumps finds the second (passing.h). In place, for what is moved away is not there
// meanwhile. Two bytes in one word are seen whole or not at all; those of two words take the way of
// three steps.
void close_pads(const Bank& bank) {
  Writer writer(Running::nobody), careful(Running::anybody);
  each_stub(bank, [&](Stub& stub) {
    (void)close_site(stub, stub.site % 8 != 7 ? writer : careful, bank.protection);
  });
}

// False: the text is as it was, jumps and all.
bool try_shut(const Bank& bank) {
  const Range text = pages_of(bank);
  const uint64_t copy = move_away(text);
  if (!copy) return false;
  if (!is_ours_alone(bank, text, copy)) {
    if (try_protect(text, copy, PROT_READ | PROT_WRITE))
      each_stub(bank, [&](const Stub& stub) {
        if (stub.patched) restore(stub, text.begin, reinterpret_cast<uint8_t*>(copy), text.size());
      });
    if (!try_protect(text, copy, bank.protection) || !try_move_back(text, copy)) drop(text, copy);
  } else {
    drop(text, copy);
  }
  each_stub(bank, [](Stub& stub) { stub.patched = false; });
  return true;
}

}  // namespace

Swapped open_doors() {
  Swapped swapped;
  for (const Bank& bank : banks()) {
    if (!bank.text_end || !is_first_of_text(bank)) continue;
    if (lacks_patches(bank) && !has_patches(bank) && !try_open(bank)) ++swapped.texts_left;
    each_stub(bank, [&](const Stub& stub) { ++(stub.patched ? swapped.open : swapped.shut); });
  }
  return swapped;
}

bool shut_doors() {
  bool all = true, any_pads = false;
  for (const Bank& bank : banks())
    if (bank.text_end && is_first_of_text(bank) && has_pads(bank))
      close_pads(bank), any_pads = true;
  if (any_pads) let_others_pass(is_between_jumps);
  for (const Bank& bank : banks())
    if (bank.text_end && is_first_of_text(bank) && has_patches(bank)) all &= try_shut(bank);
  return all;
}

}  // namespace sctrace::rewriter
