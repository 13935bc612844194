#include "formats/ftrace.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "arch/table.h"
#include "formats/read/structs.h"

namespace sctrace {
namespace {

struct Prototype {
  const char* name = nullptr;       // the kernel's own
  std::string_view arguments = {};  // "int fd, const char * buf"
};

struct Prototypes {
  Prototype of[arch::number_limit];
  Prototypes() {
#define PROTOTYPE(call, inside, arguments) of[arch::nr_##call] = {#inside, arguments};
#include "arch/x86_64/prototypes.def"
#undef PROTOTYPE
  }
};

const Prototype& prototype(uint32_t nr) {
  static const Prototypes all;
  static constexpr Prototype none;
  return nr < arch::number_limit ? all.of[nr] : none;
}

struct Argument {
  std::string type, name;
};

// As the kernel declares them; where it was built without the call, as the table does.
std::vector<Argument> arguments_of(uint32_t nr) {
  std::vector<Argument> all;
  std::string_view rest = prototype(nr).arguments;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(", "), rest.size());
    const std::string_view one = rest.substr(0, comma);
    const size_t blank = one.rfind(' ');
    all.push_back({std::string(one.substr(0, blank)), std::string(one.substr(blank + 1))});
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
  const arch::Row& row = read::lookup(nr);
  if (prototype(nr).name) return all;
  for (uint8_t i = 0; i < row.arity; ++i)
    all.push_back({"unsigned long", row.args[i].name ? row.args[i].name : fmt::format("arg{}", i)});
  return all;
}

std::string name_of(const Event& e) {
  const char* inside = prototype(e.nr).name;
  return "sys_" + (inside ? std::string(inside) : e.name);
}

constexpr size_t name_bytes = 15;  // TASK_COMM_LEN less its nul

}  // namespace

FtraceLines::FtraceLines(bool types) : types_(types) {
  out_ =
      "# tracer: nop\n"
      "#\n"
      "#                                _-----=> irqs-off/BH-disabled\n"
      "#                               / _----=> need-resched\n"
      "#                              | / _---=> hardirq/softirq\n"
      "#                              || / _--=> preempt-depth\n"
      "#                              ||| / _-=> migrate-disable\n"
      "#                              |||| /     delay\n"
      "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
      "#              | |         |   |||||     |         |\n";
}

void FtraceLines::program(const Where& at, std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  names_[at.tid] = path.substr(0, name_bytes);
}

void FtraceLines::thread(const Where& born, uint32_t parent) {
  if (const auto of = names_.find(parent); of != names_.end() && !names_.contains(born.tid))
    names_[born.tid] = std::string(of->second);
}

void FtraceLines::begin(uint32_t tid, uint64_t when) {
  const auto name = names_.find(tid);
  const uint64_t us = (when + 500) / 1000;  // as the kernel rounds
  out_ += fmt::format(
      "{:>16}-{:<7} [000] ..... {:5}.{:06}: ", name == names_.end() ? "<...>" : name->second, tid,
      us / 1'000'000, us % 1'000'000);
}

void FtraceLines::entry(const Event& e) {
  begin(e.tid, e.began);
  out_ += name_of(e) + '(';
  const std::vector<Argument> arguments = arguments_of(e.nr);
  for (size_t i = 0; i < arguments.size() && i < e.argc; ++i) {
    if (i) out_ += ", ";
    if (types_) out_ += arguments[i].type + ' ';
    out_ += fmt::format("{}: {:x}", arguments[i].name, e.raw[i]);
  }
  out_ += ")\n";
}

void FtraceLines::enter(const Event& e) {
  entry(e);
  inside_.insert(e.tid);
}

void FtraceLines::leave(const Event& e) {
  if (!inside_.erase(e.tid)) entry(e);
  const bool renames = e.nr == arch::nr_prctl && e.argc && e.raw[0] == 15;
  if (renames && !e.failed && e.args.size() > 1)
    names_[e.tid] = e.args[1].text.substr(0, name_bytes);
  if (!e.ended) return;
  begin(e.tid, e.finished);
  out_ += fmt::format("{} -> {:#x}\n", name_of(e), static_cast<uint64_t>(e.result));
}

void FtraceLines::signal(const Where& to, uint32_t number, const Value& info, const Stack&) {
  const auto field = [&](const char* name) {
    for (const Value& one : info.items)
      if (one.name == name) return static_cast<int32_t>(one.number);
    return 0;
  };
  begin(to.tid, to.when);
  out_ += fmt::format("signal_deliver: sig={} errno={} code={}\n", number, field("si_errno"),
                      field("si_code"));
}

void FtraceLines::lost(const Where&, uint64_t calls) {
  out_ += calls ? fmt::format("CPU:0 [LOST {} EVENTS]\n", calls) : "CPU:0 [LOST EVENTS]\n";
}

}  // namespace sctrace
