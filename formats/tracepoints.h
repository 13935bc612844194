// The kernel's own tracepoints that a recorded call could have come from: how tracefs describes
// them, and their bytes. perf.data and trace.dat carry these descriptions with them, so the readers
// need no tracefs, nor does sctrace.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/format.h"

namespace sctrace::tracepoints {

struct Tracepoint {
  std::string_view system, name;
  uint16_t id;  // any will do: readers take it from the description
  std::string_view fields, print;
};

extern const Tracepoint sys_enter, sys_exit, signal_deliver;
extern const Tracepoint user_stack;  // ftrace's own; the addresses as there, and who they belong to
std::span<const Tracepoint* const> all();
std::string description(const Tracepoint& tracepoint);

// What tracing.dat and the tracing data of perf.data begin with: the version ("6", "0.6"), then the
// layout of pages and events, and the descriptions: ftrace's own, then by system. Up to the
// kallsyms, which are none.
std::string header(std::string_view version, std::span<const Tracepoint* const> of_ftrace = {});

// The bytes of one event, appended.
void put_enter(std::string& to, const Event& event);
void put_exit(std::string& to, const Event& event);
void put_signal(std::string& to, const Arrival& signal);
void put_stack(std::string& to, const Event& event);

}  // namespace sctrace::tracepoints
