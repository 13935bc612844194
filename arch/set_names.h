// What the sets (names.def) and the layouts (structs.def) are called, by their numbers; none is
// "-".
#pragma once
#include "arch/syscall.h"

namespace sctrace::arch {

inline constexpr const char* set_names[] = {
    "-",
#define SET(name, ...) #name,
#define WORD(...)
#define PART(...)
#define SHIFTED(...)
#define OCTAL(...)
#define DECIMAL(...)
#define SIGNAL(...)
#define END_SET
#include "arch/names.def"
#undef SET
#undef WORD
#undef PART
#undef SHIFTED
#undef OCTAL
#undef DECIMAL
#undef SIGNAL
#undef END_SET
};
inline constexpr size_t set_count = sizeof set_names / sizeof *set_names;

inline constexpr const char* layout_names[] = {
    "-",
#define STRUCT(name, bytes) #name,
#include "arch/structs.def"
#undef STRUCT
};
inline constexpr size_t layout_count = sizeof layout_names / sizeof *layout_names;

}  // namespace sctrace::arch
