// The one list of all formats. Each is defined in the file of its name.
#include "formats/format.h"

namespace sctrace {

extern const Format chrome, ctf_format, firefox_format, folded, json, parquet, pcapng, perf,
    perfetto, pprof, prometheus, speedscope, sqlite, tracedat;

namespace {
constexpr const Format* all[] = {&chrome,     &ctf_format, &firefox_format, &folded,   &json,
                                 &parquet,    &pcapng,     &perf,           &perfetto, &pprof,
                                 &prometheus, &speedscope, &sqlite,         &tracedat};
}

std::span<const Format* const> formats() { return all; }

const Format* format_named(std::string_view name) {
  for (const Format* format : all)
    if (format->name == name) return format;
  return nullptr;
}

}  // namespace sctrace
