#include "preload/exact_copies.h"

#include <asm/unistd.h>
#include <sys/mman.h>

#include "preload/capture.h"
#include "preload/exact.h"
#include "preload/put.h"
#include "preload/sandbox.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr uint64_t born_bytes = 256 << 10, grown_bytes = 8 << 20;
constexpr uint64_t page = 4096, block = 512, grain = 16;  // O_DIRECT asks for a block's alignment

uint64_t map(uint64_t bytes) {
  const long at = raw_syscall(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at < 0 ? 0 : static_cast<uint64_t>(at);
}

uint64_t place_for(ThreadState& self, uint64_t app, uint64_t n) {
  Exact& e = self.exact;
  const uint64_t step = n >= block ? page : grain;
  const uint64_t at = ((e.base + e.used + step - 1) & ~(step - 1)) + (app & (step - 1));
  constexpr uint64_t behind = 16;  // copy_string's last word
  if (at + n + behind > e.base + e.bytes) return e.full = true, 0;
  e.used = at + n + behind - e.base;
  return at;
}

bool may_be_written(uint64_t app, uint64_t n) {
  return sctrace_probe(reinterpret_cast<void*>(app), n) == 0;
}

}  // namespace

void make_exact_memory(ThreadState& self) {
  Exact& e = self.exact;
  if (e.base || !may(self, own_memory)) return;
  e.base = map(born_bytes);
  e.bytes = e.base ? born_bytes : 0;
}

bool more_room(ThreadState& self) {
  Exact& e = self.exact;
  if (!e.full || e.bytes >= grown_bytes) return false;
  const SpecialWork work(self);
  if (!may(self, own_memory)) return false;
  const uint64_t larger = map(grown_bytes);
  if (!larger) return false;
  if (e.base) raw_syscall(__NR_munmap, e.base, e.bytes);
  e.base = larger, e.bytes = grown_bytes;
  return true;
}

uint64_t room_beside(ThreadState& self, uint64_t n) {
  constexpr uint64_t aligned = 0;
  return place_for(self, aligned, n);
}

void begin_copies(ThreadState& self) {
  self.exact.used = 0;
  self.exact.full = false;
  for (int i = 0; i < 6; ++i) {
    self.exact.copy[i] = 0;
    self.pass[i] = self.frame.args[i];
  }
  self.frame.pass = self.pass;
}

uint64_t copied_in(ThreadState& self, uint64_t app, uint64_t n) {
  const uint64_t at = place_for(self, app, n);
  return at && read_app(reinterpret_cast<void*>(at), app, n) ? at : 0;
}

uint64_t copied_string(ThreadState& self, uint64_t app, uint64_t& n) {
  const uint64_t at = place_for(self, app, path_most);
  if (!at) return 0;
  const long length = sctrace_copy_string(reinterpret_cast<char*>(at),
                                          reinterpret_cast<const char*>(app), path_most);
  if (length < 0 || length == static_cast<long>(path_most)) return 0;  // longer than any path
  n = static_cast<uint64_t>(length) + 1;
  self.exact.used -= path_most - n;
  return at;
}

uint64_t room_for_out(ThreadState& self, uint64_t app, uint64_t n) {
  return may_be_written(app, n) ? place_for(self, app, n) : 0;
}

uint64_t copied_with_before(ThreadState& self, uint64_t app, uint64_t n) {
  if (!may_be_written(app, n)) return 0;
  const uint64_t at = place_for(self, app, 2 * n);
  if (!at || !read_app(reinterpret_cast<void*>(at), app, n)) return 0;
  __builtin_memcpy(reinterpret_cast<void*>(at + n), reinterpret_cast<const void*>(at), n);
  return at;
}

bool replaced(ThreadState& self, uint8_t arg, uint64_t copy, uint64_t n) {
  self.pass[arg] = copy;
  self.exact.copy[arg] = copy;
  self.exact.bytes_of[arg] = n;
  return true;
}

bool give_changed(uint64_t app, uint64_t copy, uint64_t n) {
  const auto* now = reinterpret_cast<const uint8_t*>(copy);
  const uint8_t* before = now + n;
  for (uint64_t i = 0; i < n;) {
    uint64_t end = i;
    while (end < n && now[end] != before[end]) ++end;
    if (end > i && !write_app(app + i, now + i, end - i)) return false;
    i = end + 1;
  }
  return true;
}

}  // namespace sctrace::preload
