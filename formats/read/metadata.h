// The file `metadata` of a trace → Table: text that tells every call, word and struct, compressed
// by zstd or not (sctrace-trace(5) has the grammar). Any bytes at all give a table or one BadTrace;
// a table is safe to decode by whatever it says.
#pragma once
#include <memory>
#include <string>

#include "formats/read/table.h"

namespace sctrace::read {

inline constexpr size_t metadata_most = 4 << 20;  // bytes of the text

// `packed`: the file's contents. `file`: what a BadTrace calls it; its offsets are in the text.
// What our code needs and the text does not have comes from `base`, if there is one.
std::shared_ptr<const Table> table_from(std::string_view packed, const std::string& file,
                                        const std::shared_ptr<const Table>& base);
// The one this build was made with; in a build without it: no calls, no words, no structs.
std::shared_ptr<const Table> built_in_table();
std::string_view built_in_text();  // as a trace of this build has it

}  // namespace sctrace::read
