// What a row says of a call's arguments at a glance.
#pragma once
#include "arch/syscall.h"

namespace sctrace::arch {

// Which arguments are descriptors, and which the names of files: bit i for argument i.
constexpr uint8_t descriptor_arguments(const Row& row) {
  uint8_t mask = 0;
  for (uint8_t i = 0; i < row.arity; ++i)
    if (row.args[i].kind == Kind::fd || row.args[i].kind == Kind::dirfd)
      mask = static_cast<uint8_t>(mask | 1u << i);
  return mask;
}
constexpr uint8_t path_arguments(const Row& row) {
  uint8_t mask = 0;
  for (uint8_t i = 0; i < row.arity; ++i)
    if (row.args[i].kind == Kind::path && row.args[i].way == Way::in)
      mask = static_cast<uint8_t>(mask | 1u << i);
  return mask;
}

}  // namespace sctrace::arch
