#include "rewriter/passing.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>

#include "arch/x86_64/frame.h"

namespace sctrace::rewriter {
namespace {

using arch::raw_syscall;

struct Seen {
  uint32_t tid;
  bool has_grown;  // the time, since the first look
  uint64_t ran;    // ns on a processor
};
constexpr unsigned seen_most = 1024;
Seen seen[seen_most];  // of who holds the lock over text

// Not by nanosleep: who is lent for this may have to go on with one (preload/live.cc).
void rest(long ms) {
  timespec time{0, ms * 1'000'000};
  raw_syscall(SYS_pselect6, 0, 0, 0, 0, &time, 0);
}

// What /proc/self/task/TID/NAME says, from its first byte on; 0: nothing.
long read_of(uint32_t tid, const char* name, char* to, long most) {
  char path[64] = "/proc/self/task/", digits[10];
  unsigned at = 16, n = 0;
  do digits[n++] = static_cast<char>('0' + tid % 10);
  while (tid /= 10);
  while (n) path[at++] = digits[--n];
  for (; *name; ++name) path[at++] = *name;
  path[at] = 0;
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long got = raw_syscall(SYS_read, fd, to, most);
  raw_syscall(SYS_close, fd);
  return got > 0 ? got : 0;
}

bool time_of(uint32_t tid, uint64_t& ran) {
  char text[96];
  const long n = read_of(tid, "/schedstat", text, sizeof text);
  ran = 0;
  for (long i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i)
    ran = ran * 10 + static_cast<uint64_t>(text[i] - '0');
  return n > 0;
}

// Behind the last bracket: a thread's name may hold some.
bool is_runnable(uint32_t tid) {
  char text[256];
  long at = read_of(tid, "/stat", text, sizeof text);
  const long n = at;
  while (at > 0 && text[at - 1] != ')') --at;
  return at > 0 && at + 1 < n && text[at + 1] == 'R';
}

// Where a thread that doesn't run will go on in the program: the last word. Also of one that was
// stopped, or waits for a page. False: it runs, or would like to.
bool try_find_pc(uint32_t tid, uint64_t& pc) {
  char text[256];
  const long n = read_of(tid, "/syscall", text, sizeof text);
  pc = 0;
  if (!n) return !is_runnable(tid);
  if (text[0] == 'r') return false;  // running
  long at = n;
  while (at > 0 && text[at - 1] != ' ') --at;
  for (at += 2; at < n && text[at] > ' '; ++at)
    pc = pc << 4 | static_cast<uint64_t>(text[at] <= '9' ? text[at] - '0' : text[at] - 'a' + 10);
  return true;
}

// Of one that is on a processor the kernel adds up the time at a tick, or when it takes it off: the
// first growth may lie before the look. What comes on top of that is new, and more than the way
// back to the program takes.
bool has_passed(Seen& one, bool (*is_inside)(uint64_t pc)) {
  constexpr uint64_t sure_ns = 200'000;
  uint64_t now = 0, pc = 0;
  if (!time_of(one.tid, now)) return true;
  if (try_find_pc(one.tid, pc)) return !is_inside(pc);
  if (one.has_grown) return now - one.ran >= sure_ns;
  if (now != one.ran) one.has_grown = true, one.ran = now;
  return false;
}

struct Entry {  // linux_dirent64
  uint64_t inode, offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

// The others, as they are now, but for those that sleep elsewhere: most do where there are many,
// and one look at each is enough. False: not to be had, or too many.
bool look(unsigned& count, bool (*is_inside)(uint64_t pc)) {
  const auto self = static_cast<uint32_t>(raw_syscall(SYS_gettid));
  const long folder =
      raw_syscall(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  alignas(8) char entries[2048];
  bool all = true;
  count = 0;
  for (long n; (n = raw_syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;)
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(entries + at);
      at += entry->size;
      uint32_t tid = 0;
      for (const char* c = entry->name; *c >= '0' && *c <= '9'; ++c)
        tid = tid * 10 + static_cast<uint32_t>(*c - '0');
      uint64_t pc;
      if (!tid || tid == self || (try_find_pc(tid, pc) && !is_inside(pc))) continue;
      if (count == seen_most) all = false;
      if (count < seen_most && time_of(tid, seen[count].ran))
        seen[count].has_grown = false, seen[count++].tid = tid;
    }
  raw_syscall(SYS_close, folder);
  return all;
}

}  // namespace

void let_others_pass(bool (*is_inside)(uint64_t pc)) {
  constexpr int rounds = 2000, blind_ms = 30;
  unsigned count = 0;
  if (!look(count, is_inside)) return rest(blind_ms);
  for (int round = 0; round < rounds && count; ++round) {
    rest(1);
    unsigned left = 0;
    for (unsigned i = 0; i < count; ++i)
      if (!has_passed(seen[i], is_inside)) seen[left++] = seen[i];
    count = left;
  }
}

}  // namespace sctrace::rewriter
