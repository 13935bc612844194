// The one place where formats holds a table of its own: the text that arch/describe.cc wrote, as
// every trace carries it. With SCTRACE_EMPTY_TABLE there is none (tests/metadata): then a trace has
// to tell everything itself.
#include "formats/read/metadata_parse.h"

#ifndef SCTRACE_EMPTY_TABLE
extern "C" const char sctrace_metadata[], sctrace_metadata_end[];
#endif

namespace sctrace::read {

std::string_view built_in_text() {
#ifdef SCTRACE_EMPTY_TABLE
  return "sctrace-metadata 1\nend\n";
#else
  return {sctrace_metadata, static_cast<size_t>(sctrace_metadata_end - sctrace_metadata)};
#endif
}

std::shared_ptr<const Table> built_in_table() {
  return table_from(built_in_text(), "the table of this sctrace", nullptr);
}

}  // namespace sctrace::read
