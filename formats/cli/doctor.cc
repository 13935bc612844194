// `sctrace doctor`: can this program be traced, and if not, why not?
#include <fmt/format.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "formats/cli/json.h"
#include "formats/cli/object_doors.h"
#include "formats/cli/program.h"
#include "formats/cli/verbs.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

namespace sctrace::cli {

namespace {

void examine_here(std::vector<Finding>& all) {
  const std::string library = find_library();
  if (library.empty())
    all.push_back(
        {true,
         "libsctrace.so is neither beside sctrace nor in ../lib; SCTRACE_LIBRARY may name it"});
  // Switching off what is off succeeds wherever the kernel knows it.
  if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0) != 0)
    all.push_back(
        {false,
         "this kernel has no Syscall User Dispatch (before 5.11, or not configured): calls from "
         "places\n"
         "  that cannot be rewritten will not be seen; `sctrace info` counts such places"});
}

}  // namespace

int verb_doctor(int argc, char** argv) {
  CLI::App app("Says whether CMD can be traced, and why not. Exit status 0 if it can, 1 if not.");
  std::string name;
  bool json = false;
  app.add_option("CMD", name, "a program, as a shell would find it")->required();
  app.add_flag("--json", json, "one JSON object: command, traceable, findings, objects");
  if (const auto status = parse(app, argc, argv)) return *status;
  const Found found = find_command(name);
  std::vector<Finding> all;
  if (found.status == 127)
    all.push_back({true, name + ": not found"});
  else if (found.status == 126)
    all.push_back({true, found.path + ": not executable"});
  else
    all = examine(found.path);
  examine_here(all);
  bool traceable = true;
  std::string list;
  for (const Finding& one : all) {
    traceable = traceable && !one.prevents;
    if (!json) fmt::print("{} {}\n", one.prevents ? "no:  " : "note:", one.why);
    list += fmt::format("{}{{\"prevents\": {}, \"why\": {}}}", list.empty() ? "" : ", ",
                        one.prevents, json_quoted(one.why));
  }
  const auto doors = traceable ? predicted_doors(found.path) : std::vector<ObjectDoors>{};
  if (json)
    fmt::print("{{\"command\": {}, \"traceable\": {}, \"findings\": [{}], \"objects\": {}}}\n",
               json_quoted(found.path), traceable, list, json_of(doors));
  else if (traceable)
    fmt::print(
        "yes:  {} can be traced. Never seen: calls that its loader makes before the library "
        "starts,\n"
        "      and io_uring operations, which are no system calls.\n",
        found.path);
  if (!json)
    for (const ObjectDoors& object : doors) fmt::print("      {}\n", text_of(object));
  return traceable ? 0 : 1;
}

}  // namespace sctrace::cli
