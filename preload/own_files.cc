#include "preload/own_files.h"

#include <asm/unistd.h>
#include <fcntl.h>

#include <atomic>
#include <iterator>

#include "preload/capture.h"
#include "preload/dispositions.h"
#include "preload/files.h"
#include "preload/live.h"
#include "preload/load.h"
#include "preload/mappings.h"
#include "preload/say.h"
#include "preload/special.h"
#include "preload/waiting.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr uint64_t marks_most = 1024;
std::atomic<uint64_t> marks[marks_most / 64];

std::atomic<uint64_t>& word_of(uint64_t fd) { return marks[fd / 64]; }
bool is_marked(uint64_t fd) {
  return fd < marks_most && word_of(fd).load(std::memory_order_relaxed) >> fd % 64 & 1;
}
bool any_marked() {
  uint64_t all = 0;
  for (const auto& word : marks) all |= word.load(std::memory_order_relaxed);
  return all;
}

constexpr uint32_t uses[] = {__NR_read, __NR_pread64, __NR_write, __NR_pwrite64};

void mark(uint64_t fd, bool is_own) {
  const uint64_t bit = 1ull << fd % 64;
  const bool before = any_marked();
  if (is_own)
    word_of(fd).fetch_or(bit, std::memory_order_relaxed);
  else
    word_of(fd).fetch_and(~bit, std::memory_order_relaxed);
  if (any_marked() == before) return;
  for (const uint32_t nr : uses) decide(nr);  // whether they are special
}

// What a descriptor leads to: nothing of this process · of which thread (0: its first).
struct Leads {
  enum Kind { none, status, memory } kind = none;
  uint32_t tid = 0;
};

// At `at`, which goes on behind it: the text, or a number that is one.
bool skip(const char*& at, const char* text) {
  const char* from = at;
  for (; *text; ++text, ++from)
    if (*from != *text) return false;
  at = from;
  return true;
}
uint32_t skip_number(const char*& at) {
  uint32_t value = 0;
  for (; *at >= '0' && *at <= '9'; ++at) value = value * 10 + static_cast<uint32_t>(*at - '0');
  return value;
}

Leads where_leads(const ThreadState& self, uint64_t fd) {
  char path[64];
  const long bytes = link_of(static_cast<int32_t>(fd), path, sizeof path - 1);
  path[bytes < 0 ? 0 : bytes] = 0;
  const char* at = path;
  Leads to;
  if (!skip(at, "/proc/") || skip_number(at) != self.process->pid) return {};
  if (skip(at, "/task/")) to.tid = skip_number(at);
  to.kind = skip(at, "/status") ? Leads::status : skip(at, "/mem") ? Leads::memory : Leads::none;
  return *at ? Leads{} : to;
}

// By its text alone, and without a call: most names are others.
bool may_be_own(uint64_t name) {
  constexpr auto four = [](const char(&text)[5]) {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word |= static_cast<uint32_t>(text[i]) << 8 * i;
    return word;
  };
  uint32_t head;
  if (!name || !try_load(name, head)) return false;
  if (head != four("/pro") && head != four("stat") && head != four("mem\0") &&
      head != four("self") && head != four("thre"))
    return false;
  char text[64];
  const long n = sctrace_copy_string(text, reinterpret_cast<const char*>(name), sizeof text - 1);
  const auto ends = [&](const char* with, long size) {
    return n >= size && __builtin_memcmp(text + n - size, with, static_cast<size_t>(size)) == 0;
  };
  return ends("status", 6) || ends("mem", 3);
}

// A line of status: 16 digits behind `tag`.
enum class Set { sent_to_thread, sent_to_process, blocked, ignored, caught };
struct Field {
  const char* tag;
  Set set;
};
constexpr Field fields[] = {{"\nSigPnd:\t", Set::sent_to_thread},
                            {"\nShdPnd:\t", Set::sent_to_process},
                            {"\nSigBlk:\t", Set::blocked},
                            {"\nSigIgn:\t", Set::ignored},
                            {"\nSigCgt:\t", Set::caught}};
constexpr uint64_t tag_bytes = 9, digits = 16, line_bytes = tag_bytes + digits;

struct OfThread {
  uint32_t tid;
  const Process* process;
};
bool is_it(const ThreadState& other, void* data) {
  const auto& wanted = *static_cast<const OfThread*>(data);
  return other.tid == wanted.tid && other.process == wanted.process;
}

// Of the guarded signals, as the program believes it.
uint64_t believed(const Process& process, const ThreadState* thread, Set set) {
  uint64_t signals = 0;
  switch (set) {
    case Set::sent_to_thread: return thread ? thread->pending : 0;
    case Set::sent_to_process: return waiting(process);
    case Set::blocked: return thread ? thread->blocked : 0;
    case Set::ignored:
    case Set::caught:
      for (const int signo : {sigbus, sigsegv, sigsys}) {
        const uint64_t handler = process.actions[signo].handler;
        const bool is_in = set == Set::ignored ? handler == sig_ign : handler > sig_ign;
        if (is_in) signals |= bit(signo);
      }
      return signals;
  }
  return 0;
}

uint64_t parse(const char* at) {
  uint64_t value = 0;
  for (uint64_t i = 0; i < digits; ++i)
    value = value << 4 | static_cast<uint64_t>(at[i] <= '9' ? at[i] - '0' : at[i] - 'a' + 10);
  return value;
}

// What the program has read: [from, from + bytes) of the file.
struct Read {
  uint64_t address, from, bytes;
};

// The line of a field, [at, at + line_bytes) of the file, as far as the program has read it. False:
// what it has read there is something else.
bool correct(const Read& read, const char* line, uint64_t at, uint64_t signals) {
  const uint64_t begin = at > read.from ? at : read.from;
  const uint64_t read_end = read.from + read.bytes, line_end = at + line_bytes;
  const uint64_t end = line_end < read_end ? line_end : read_end;
  if (begin >= end) return true;
  char there[line_bytes];
  const uint64_t address = read.address + (begin - read.from), n = end - begin;
  if (!read_app(there, address, n) || __builtin_memcmp(there, line + (begin - at), n) != 0)
    return false;
  const uint64_t value = (parse(line + tag_bytes) & ~guarded) | signals;
  for (uint64_t i = 0; i < n; ++i) {
    const uint64_t place = begin - at + i;
    if (place < tag_bytes) continue;
    there[i] = "0123456789abcdef"[value >> 4 * (line_bytes - 1 - place) & 15];
  }
  return write_app(address, there, n);
}

// act(which field, its line, where it is) for each that is whole in what fill(to, from, most)
// gives: how many bytes there were.
template <typename Fill, typename Act>
void each_field(Fill fill, Act act) {
  char text[2048];
  uint64_t field = 0;
  for (uint64_t from = 0;;) {
    const uint64_t bytes = fill(text, from, sizeof text);
    if (bytes < line_bytes) return;
    for (uint64_t at = 0; at + line_bytes <= bytes; ++at) {
      if (text[at] != '\n' || field >= std::size(fields)) continue;
      for (uint64_t i = field; i < std::size(fields); ++i)
        if (__builtin_memcmp(text + at, fields[i].tag, tag_bytes) == 0) {
          act(i, text + at, from + at);
          field = i + 1;
        }
    }
    from += bytes - (line_bytes - 1);
  }
}

// Lines that it has read whole are found in what it has read. Where the others are is known from
// another reading: if the file has moved meanwhile they stay.
void correct_status(const ThreadState& self, const Leads& to, const Read& read) {
  OfThread wanted{to.tid ? to.tid : self.process->pid, self.process};
  const ThreadState* thread = wanted.tid == self.tid ? &self : find_thread(is_it, &wanted);
  uint64_t found = 0;
  const auto app_bytes = [&](char* text, uint64_t from, uint64_t most) {
    const uint64_t rest = read.bytes - from, n = rest < most ? rest : most;
    return read_app(text, read.address + from, n) ? n : 0;
  };
  each_field(app_bytes, [&](uint64_t i, const char* line, uint64_t at) {
    if (correct(read, line, read.from + at, believed(*self.process, thread, fields[i].set)))
      found |= 1u << i;
  });
  if (found == (1u << std::size(fields)) - 1) return;
  Line path;
  path.text("/proc/self/");
  if (to.tid) path.text("task/").number(to.tid).text("/");
  path.text("status");
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const auto file_bytes = [&](char* text, uint64_t from, uint64_t most) {
    const long n = raw_syscall(__NR_pread64, fd, text, most, from);
    return n > 0 ? static_cast<uint64_t>(n) : 0;
  };
  each_field(file_bytes, [&](uint64_t i, const char* line, uint64_t at) {
    if (!(found >> i & 1)) correct(read, line, at, believed(*self.process, thread, fields[i].set));
  });
  raw_syscall(__NR_close, fd);
}

bool is_positioned(const arch::Frame& call) {
  return call.nr == __NR_pread64 || call.nr == __NR_pwrite64;
}
// Where the call begins, or began, in the file.
uint64_t place_of(const arch::Frame& call, uint64_t done) {
  if (is_positioned(call)) return call.args[3];
  const long now = raw_syscall(__NR_lseek, call.args[0], 0, SEEK_CUR);
  return static_cast<uint64_t>(now) - done;
}

bool reads(const arch::Frame& call) { return call.nr == __NR_read || call.nr == __NR_pread64; }

}  // namespace

bool opens_by_name(uint32_t nr) {
  return nr == __NR_open || nr == __NR_openat || nr == __NR_openat2;
}

void mark_own_file(ThreadState& self) {
  const auto& call = self.frame;
  const auto fd = static_cast<uint64_t>(call.result);
  if (fd >= marks_most) return;
  if (!may_be_own(call.args[call.nr == __NR_open ? 0 : 1])) {
    if (is_marked(fd)) mark(fd, false);
    return;
  }
  const SpecialWork work(self);
  if (may(self, own_others)) mark(fd, where_leads(self, fd).kind != Leads::none);
}

bool is_watched(uint32_t nr) {
  for (const uint32_t use : uses)
    if (nr == use) return any_marked();
  return false;
}

void own_file_enter(ThreadState& self) {
  const auto& call = self.frame;
  if (!is_marked(call.args[0])) return;
  self.in_flight.after = After::own_file;
  if (reads(call)) return;
  const SpecialWork work(self);
  if (!may(self, own_others)) return;
  const Leads to = where_leads(self, call.args[0]);
  if (to.kind == Leads::none) mark(call.args[0], false);
  if (to.kind == Leads::memory) writing_text(self, place_of(call, 0), call.args[2]);
}

void own_file_leave(ThreadState& self) {
  const auto& call = self.frame;
  if (reads(call) && call.result <= 0) return;
  const SpecialWork work(self);
  if (!may(self, own_others)) return;
  const Leads to = where_leads(self, call.args[0]);
  if (to.kind == Leads::none) return mark(call.args[0], false);
  const uint64_t done = call.result > 0 ? static_cast<uint64_t>(call.result) : 0;
  const uint64_t from = place_of(call, done);
  if (!reads(call) && to.kind == Leads::memory) wrote_text(self, from, call.args[2], done > 0);
  if (reads(call) && to.kind == Leads::status)
    correct_status(self, to, {.address = call.args[1], .from = from, .bytes = done});
}

}  // namespace sctrace::preload
