// The one list of all formats. Each is defined in the file of its name.
#include "formats/format.h"

namespace sctrace {

extern const Format chrome, folded, json, parquet, pcapng, pprof, prometheus, speedscope, sqlite;

namespace {
constexpr const Format* all[] = {&chrome, &folded,     &json,       &parquet, &pcapng,
                                 &pprof,  &prometheus, &speedscope, &sqlite};
}

std::span<const Format* const> formats() { return all; }

const Format* format_named(std::string_view name) {
  for (const Format* format : all)
    if (format->name == name) return format;
  return nullptr;
}

}  // namespace sctrace
