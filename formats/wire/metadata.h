// The file of a trace that tells its table: calls, words and structs as text, compressed by zstd.
// Written once by whoever begins the session; sctrace-trace(5) has its grammar.
#pragma once

namespace sctrace::wire {

inline constexpr char metadata_name[] = "metadata";

}  // namespace sctrace::wire
