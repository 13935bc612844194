// The table's names and classes as one block of bytes without a pointer in it. The table itself has
// two thousand, and each would be a relocation: sixty pages that every process copies at its start.
// tests/rules/manners.py counts them.
#pragma once
#include "arch/table.h"

namespace sctrace::preload {

namespace fold {
constexpr size_t length(const char* name) {
  size_t n = 0;
  while (name && name[n]) ++n;
  return n;
}
constexpr size_t names_bytes() {
  size_t bytes = 1;  // offset 0: no name
  for (const arch::Row& row : arch::table.rows) bytes += row.name ? length(row.name) + 1 : 0;
  return bytes;
}
struct CallNames {
  char text[names_bytes()] = {};
  uint16_t at[arch::number_limit] = {};
  uint32_t classes[arch::number_limit] = {};
};
constexpr CallNames call_names() {
  CallNames names;
  uint16_t used = 1;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    const arch::Row& row = arch::table.rows[nr];
    if (!row.name) continue;
    names.at[nr] = used;
    names.classes[nr] = row.classes;
    for (size_t i = 0; i < length(row.name); ++i) names.text[used++] = row.name[i];
    ++used;
  }
  return names;
}
inline constexpr CallNames names = call_names();
}  // namespace fold

// Null: the table has no such call.
inline const char* name_of_call(uint32_t nr) {
  return nr < arch::number_limit && fold::names.at[nr] ? fold::names.text + fold::names.at[nr]
                                                       : nullptr;
}
inline uint32_t classes_of_call(uint32_t nr) { return fold::names.classes[nr]; }

}  // namespace sctrace::preload
