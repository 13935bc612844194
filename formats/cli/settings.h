// The settings of the library, as `record`, its manual page and libsctrace.so(7) tell of them. The
// library has a table of its own (preload/config.cc), which may hold no such text; a test compares
// the two.
#pragma once
#include <span>

namespace sctrace::cli {

struct Setting {
  const char* variable;
  const char* standard;  // what it is if nothing is said
  const char* option;    // of record; empty: none of the same kind
  const char* value;     // what the option takes
  const char* words;     // that this may be, blanks between; empty: anything
  const char* help;      // one line
  const char* more;      // for the manual
};

std::span<const Setting> settings();

}  // namespace sctrace::cli
