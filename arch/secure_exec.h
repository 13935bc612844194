// The kernel's rule for AT_SECURE, under which a loader ignores LD_PRELOAD (security/commoncap.c):
// another effective than real user or group, or capabilities from the file for who isn't root.
#pragma once
#include <sys/stat.h>

#include <cstdint>

namespace sctrace::arch {

// Of the file that the kernel maps in the end: for a script that is its interpreter.
struct ExecRights {
  uint32_t user, effective_user, group, effective_group;  // of who executes it
  uint32_t mode, file_user, file_group;
  bool has_capabilities;
  bool honoured;  // neither nosuid on its file system nor no_new_privs on the process
};

constexpr bool gives_rights(const ExecRights& r) {
  const bool as_user = r.mode & S_ISUID;
  const bool as_group = (r.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  return as_user || as_group || r.has_capabilities;
}

constexpr bool is_secure_exec(const ExecRights& r) {
  const bool as_user = r.honoured && r.mode & S_ISUID;
  const bool as_group = r.honoured && (r.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  return (as_user ? r.file_user : r.effective_user) != r.user ||
         (as_group ? r.file_group : r.effective_group) != r.group ||
         (r.user != 0 && r.has_capabilities && r.honoured);
}

}  // namespace sctrace::arch
