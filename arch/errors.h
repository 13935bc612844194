// Errors by name: what <errno.h> calls them, aliases too. Not for a call's way: it asks libc.
#pragma once
#include <string.h>

#pragma weak strerrorname_np  // a program of another libc loads us too, and never comes here

namespace sctrace::arch {

// The number of ENOENT and its like; 0: no error has that name.
inline int error_named(const char* name) {
  static constexpr struct {
    char alias[12];
    int error;
  } aliases[] = {{"EWOULDBLOCK", 11}, {"EDEADLOCK", 35}, {"ENOTSUP", 95}, {"EOPNOTSUPP", 95}};
  for (const auto& one : aliases)
    if (!strcmp(one.alias, name)) return one.error;
  for (int error = 1; error <= 133; ++error)
    if (const char* known = strerrorname_np(error); known && !strcmp(known, name)) return error;
  return 0;
}

}  // namespace sctrace::arch
