// How the words of the table are spelt where it is text (the file `metadata` of a trace). Whoever
// reads it tries them from 0 on until there is no further one: nullptr.
#pragma once
#include "arch/members.h"
#include "arch/requests.h"

namespace sctrace::arch {

// clang-format off
#define SPELT(word) case E::word: return #word;
constexpr const char* spelling(Kind kind) {
  using E = Kind;
  switch (kind) {
    SPELT(none) SPELT(number) SPELT(unsigned_number) SPELT(hexadecimal) SPELT(octal)
    SPELT(long_number) SPELT(long_unsigned) SPELT(long_hexadecimal) SPELT(fd) SPELT(dirfd)
    SPELT(pid) SPELT(uid) SPELT(gid) SPELT(signal_number) SPELT(count) SPELT(offset) SPELT(mode)
    SPELT(device) SPELT(file_mode) SPELT(flags) SPELT(choice) SPELT(key) SPELT(code)
    SPELT(address) SPELT(time) SPELT(clock_ticks) SPELT(limit) SPELT(fsid) SPELT(epoll_data)
    SPELT(interface) SPELT(network) SPELT(network_hexadecimal) SPELT(network_choice)
    SPELT(hardware) SPELT(raw_bytes) SPELT(inet4) SPELT(inet6) SPELT(padding)
    SPELT(socket_identity) SPELT(command) SPELT(path) SPELT(string) SPELT(buffer)
    SPELT(structure) SPELT(array) SPELT(iovec) SPELT(msghdr) SPELT(mmsghdr) SPELT(strings)
    SPELT(variant)
  }
  return nullptr;
}
constexpr const char* spelling(Way way) {
  using E = Way;
  switch (way) { SPELT(none) SPELT(in) SPELT(out) SPELT(both) }
  return nullptr;
}
constexpr const char* spelling(Measure measure) {
  using E = Measure;
  switch (measure) {
    SPELT(none) SPELT(argument) SPELT(result) SPELT(pointed) SPELT(nul) SPELT(bits) SPELT(pages)
  }
  return nullptr;
}
constexpr const char* spelling(Result result) {
  using E = Result;
  switch (result) {
    SPELT(number) SPELT(count) SPELT(fd) SPELT(offset) SPELT(address) SPELT(hexadecimal)
    SPELT(pid) SPELT(uid) SPELT(gid) SPELT(octal) SPELT(never) SPELT(ticks)
  }
  return nullptr;
}
constexpr const char* spelling(Show show) {
  using E = Show;
  switch (show) { SPELT(always) SPELT(detail) SPELT(nonzero) SPELT(notable) }
  return nullptr;
}
constexpr const char* spelling(Turn turn) {
  using E = Turn;
  switch (turn) { SPELT(none) SPELT(grows) SPELT(turns) SPELT(answers) }
  return nullptr;
}
constexpr const char* spelling(Member::Role role) {
  using E = Member::Role;
  switch (role) { SPELT(field) SPELT(vector) SPELT(pointed) SPELT(tail) }
  return nullptr;
}
#undef SPELT

// strace's classes by the bit of Row::classes.
inline constexpr const char* class_words[] = {
    "file", "descriptor", "process", "network", "memory", "signal", "ipc", "creds", "clock",
    "stat_like", "lstat_like", "fstat_like", "statfs_like", "fstatfs_like", "pure"};
// clang-format on
static_assert(1u << (sizeof class_words / sizeof *class_words - 1) == pure);

}  // namespace sctrace::arch
