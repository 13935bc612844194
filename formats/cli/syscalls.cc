// `sctrace syscalls`: the table, one call or all: names, kinds, directions, what measures each
// buffer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "formats/cli/verbs.h"
#include "formats/read/table.h"

namespace sctrace::cli {

namespace {

constexpr const char* ways[] = {"", "in ", "out ", "in/out "};

const char* kind_name(arch::Kind kind) {
  static constexpr const char* names[] = {
      "none",       "int",       "unsigned", "hex",       "octal",     "long",     "unsigned long",
      "hex",        "fd",        "dirfd",    "pid",       "uid",       "gid",      "signal",
      "size",       "offset",    "mode",     "device",    "file mode", "flags",    "choice",
      "key",        "code",      "address",  "time",      "ticks",     "limit",    "fsid",
      "epoll data", "interface", "network",  "network",   "network",   "hardware", "bytes",
      "inet",       "inet6",     "padding",  "socket id", "command",   "path",     "string",
      "buffer",     "struct",    "array",    "iovec",     "msghdr",    "mmsghdr",  "strings",
      "by command"};
  static_assert(sizeof names / sizeof *names == static_cast<size_t>(arch::Kind::variant) + 1);
  return names[static_cast<size_t>(kind)];
}

std::string signature(const arch::Row& row) {
  std::string out = std::string(row.name) + '(';
  for (uint8_t i = 0; i < row.arity; ++i) {
    const arch::Arg& a = row.args[i];
    if (i) out += ", ";
    if (!row.whole) {
      out += "hex";
      continue;
    }
    out += fmt::format("{}: {}{}", a.name, ways[static_cast<size_t>(a.way)], kind_name(a.kind));
    if (a.measured_by && a.kind != arch::Kind::variant) out += fmt::format("[{}]", a.measured_by);
  }
  return out + ')';
}

}  // namespace

int verb_syscalls(int argc, char** argv) {
  CLI::App app("Lists the system calls that are known, with what their arguments are.");
  std::vector<std::string> names;
  bool json = false;
  app.add_option("NAME", names, "only these");
  app.add_flag("--json", json, "one JSON object; `syscalls` lists nr, name, signature, whole");
  if (const auto status = parse(app, argc, argv)) return *status;
  std::string list;
  size_t found = 0;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    const arch::Row& row = read::lookup(nr);
    if (!row.name ||
        (!names.empty() && std::find(names.begin(), names.end(), row.name) == names.end()))
      continue;
    ++found;
    if (json)
      list += fmt::format("{}{{\"nr\":{},\"name\":\"{}\",\"signature\":\"{}\",\"whole\":{}}}",
                          list.empty() ? "" : ",", nr, row.name, signature(row), row.whole);
    else
      list += fmt::format("{:4} {}\n", nr, signature(row));
  }
  if (json)
    fmt::print("{{\"syscalls\":[{}]}}\n", list);
  else
    fmt::print("{}", list);
  if (found || names.empty()) return 0;
  fmt::print(stderr, "sctrace syscalls: no such system call\n");
  return 1;
}

}  // namespace sctrace::cli
