// What the structs hold (members.def, request_members.def) as one array; those of a layout stand
// together. For the text that describes the table; readers get it from there.
#pragma once
#include "arch/syscall.h"

namespace sctrace::arch {

enum class Show : uint8_t {
  always,
  detail,   // by -v only
  nonzero,  // where it is not all zero
  notable   // where it is not all zero; else by -v only
};

struct Member {
  enum class Role : uint8_t { field, vector, pointed, tail };
  Layout of;
  const char* name;
  uint16_t offset, bytes;
  Kind kind;
  Set set;
  Layout inner;
  uint16_t count;  // a fixed number of them; of a counted vector, the most
  Show show;
  Role role = Role::field;
  uint16_t length_at = 0;
  uint8_t length_bytes = 0;
};

namespace fold {
inline constexpr Member members[] = {
#define MEMBER(of, name, offset, bytes, kind, set, inner, count, hidden) \
  {Layout::of,    name,       offset,                                    \
   bytes,         Kind::kind, Set::set,                                  \
   Layout::inner, count,      hidden ? Show::detail : Show::always},
#include "arch/members.def"
#undef MEMBER
#define FIELD(of, name, offset, bytes, kind, set, inner, count, show) \
  {Layout::of,    name,                                               \
   offset,        bytes,                                              \
   Kind::kind,    Set::set,                                           \
   Layout::inner, count,                                              \
   Show::show,    count ? Member::Role::vector : Member::Role::field},
#define VECTOR(of, name, offset, bytes, kind, set, inner, most, at, size, show) \
  {                                                                             \
      Layout::of, name,          offset, bytes,      Kind::kind,                \
      Set::set,   Layout::inner, most,   Show::show, Member::Role::vector,      \
      at,         size},
#define POINTED(of, name, offset, to, at, size, show)                 \
  {Layout::of, name,       offset, 8,          Kind::address,         \
   Set::none,  Layout::to, 0,      Show::show, Member::Role::pointed, \
   at,         size},
#define TAIL(of, name, offset, to, at, size, show)                                           \
  {Layout::of,         name, offset, 0, Kind::address, Set::none, Layout::to, 0, Show::show, \
   Member::Role::tail, at,   size},
#include "arch/request_members.def"
#undef FIELD
#undef VECTOR
#undef POINTED
#undef TAIL
};
}  // namespace fold

}  // namespace sctrace::arch
