#include "preload/redact.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "arch/arguments.h"
#include "arch/table.h"
#include "formats/wire/expression.h"
#include "preload/capture.h"
#include "preload/files.h"
#include "preload/global.h"
#include "preload/say.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::Kind;

// What of a number's row concerns us, apart from it: rows hold pointers.
struct Kinds {
  uint8_t descriptors = 0, paths = 0;
  bool data = false;  // has memory that may be dropped
};

constexpr bool is_data(Kind kind) {
  return kind == Kind::buffer || kind == Kind::iovec || kind == Kind::msghdr ||
         kind == Kind::mmsghdr || kind == Kind::strings || kind == Kind::variant ||
         kind == Kind::array;  // of iocbs, which name buffers
}

constexpr auto all_kinds = [] {
  std::array<Kinds, arch::number_limit> all{};
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    const arch::Row& row = arch::lookup(nr);
    all[nr] = {arch::descriptor_arguments(row), arch::path_arguments(row)};
    for (uint8_t i = 0; i < row.arity; ++i) all[nr].data |= is_data(row.args[i].kind);
  }
  return all;
}();

bool starts(const char* text, const char* with) {
  for (; *with; ++with, ++text)
    if (*text != *with) return false;
  return true;
}

bool add_descriptor(const char* digits, Redaction& to) {
  int32_t n = 0;
  if (!*digits || to.fds == sizeof to.fd / sizeof *to.fd) return false;
  for (; *digits; ++digits) {
    if (*digits < '0' || *digits > '9' || n > 0x7ffffff) return false;
    n = n * 10 + (*digits - '0');
  }
  return to.fd[to.fds++] = n, true;
}

bool add_pattern(const char* glob, Redaction& to) {
  uint64_t at = 0, n = 0;
  while (to.paths[at]) {
    while (to.paths[at]) ++at;
    ++at;
  }
  while (glob[n]) ++n;
  if (!n || at + n + 2 > sizeof to.paths) return false;
  for (uint64_t i = 0; i <= n; ++i) to.paths[at + i] = glob[i];
  return to.paths[at + n + 1] = 0, true;
}

bool add_calls(const char* set, Redaction& to) {
  uint8_t calls[arch::number_limit];
  bool unknown;
  char bad[8];
  if (!parse_trace(set, calls, unknown, bad, sizeof bad)) return false;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) to.calls[nr] |= calls[nr];
  const bool network = starts(set, "%net");  // the grammar knows no other that begins so
  to.sockets = to.sockets || network || starts(set, "all");
  return true;
}

bool matches(const char* path) {
  for (const char* glob = global.config.redaction.paths; *glob;) {
    if (wire::is_like(path, glob)) return true;
    while (*glob) ++glob;
    ++glob;
  }
  return false;
}

bool is_named(const ThreadState& self, uint8_t mask) {
  bool named = false;
  each_path(self, mask, [&](const char* path) { named = named || matches(path); });
  return named;
}

// What is open there, by the kernel. What it does not know has no data either.
bool is_behind(const Redaction& wanted, int32_t fd) {
  struct stat status;
  if (wanted.sockets && arch::raw_syscall(__NR_fstat, fd, &status) == 0 && S_ISSOCK(status.st_mode))
    return true;
  if (!*wanted.paths) return false;
  char path[4096];
  const long n = link_of(fd, path, sizeof path - 1);
  if (n < 0) return n != -ENOENT;  // no /proc: who knows
  path[n] = 0;
  return matches(path);
}

}  // namespace

bool parse_redaction(const char* text, Redaction& to) {
  to = {};
  for (;; ++text) {
    char word[256];
    uint64_t n = 0;
    for (; *text && *text != ','; ++text) {
      if (n + 1 >= sizeof word) return false;
      word[n++] = *text;
    }
    word[n] = 0;
    const bool taken = starts(word, "fd=")     ? add_descriptor(word + 3, to)
                       : starts(word, "path=") ? add_pattern(word + 5, to)
                                               : add_calls(word, to);
    if (!taken) return false;
    to.any = true;
    if (!*text) return true;
  }
}

bool may_redact(uint32_t nr) {
  return global.config.redaction.any && nr < arch::number_limit && all_kinds[nr].data;
}

bool is_redacted(ThreadState& self) {
  const Redaction& wanted = global.config.redaction;
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  if (wanted.calls[nr]) return true;
  const Kinds& kinds = all_kinds[nr];
  // Its descriptors are in memory, where they may change: none is looked for.
  if (nr == __NR_io_submit) return wanted.fds || wanted.sockets || *wanted.paths;
  for (int i = 0; i < 6; ++i)
    for (uint32_t n = 0; kinds.descriptors >> i & 1 && n < wanted.fds; ++n)
      if (wanted.fd[n] == static_cast<int32_t>(self.frame.args[i])) return true;
  if (*wanted.paths && kinds.paths && is_named(self, kinds.paths)) return true;
  if (!kinds.descriptors || (!wanted.sockets && !*wanted.paths)) return false;
  const SpecialWork work(self);
  if (!may(self, own_others)) return true;
  for (int i = 0; i < 6; ++i)
    if (kinds.descriptors >> i & 1 && is_behind(wanted, static_cast<int32_t>(self.frame.args[i])))
      return true;
  return false;
}

}  // namespace sctrace::preload
