// The verbs of the `sctrace` command and what they share: how options are parsed, which trace is
// meant when none is named, and how losses are said. A verb gets argv[0] = its own name and returns
// the exit status: 0 done, 1 the trace or the work failed, 2 wrong usage. BadTrace is caught in
// main().
#pragma once
#include <optional>
#include <string>
#include "formats/read/timeline.h"
#include "formats/read/trace.h"

namespace CLI {
class App;
}

namespace sctrace::cli {

int verb_record(int argc, char** argv);
int verb_print(int argc, char** argv);
int verb_summary(int argc, char** argv);
int verb_diff(int argc, char** argv);
int verb_report(int argc, char** argv);
int verb_serve(int argc, char** argv);
int verb_info(int argc, char** argv);
int verb_export(int argc, char** argv);
int verb_top(int argc, char** argv);
int verb_ps(int argc, char** argv);
int verb_ctl(int argc, char** argv);
int verb_check(int argc, char** argv);
int verb_syscalls(int argc, char** argv);
int verb_control(int argc, char** argv);
int verb_doctor(int argc, char** argv);

// Parses argv into `app`. Nothing: go on. A value: return it as exit status (help shown, usage
// wrong, or somebody only looks at the options: options.h).
std::optional<int> parse(CLI::App& app, int argc, char** argv);

// The trace that is meant: as named, else the newest `sctrace-*` directory here (said on stderr).
// Throws BadTrace when there is none.
std::string trace_named(const std::string& given);

// One line on stderr when something is missing from what was shown; silent when all is there.
void say_losses(const read::Losses& losses);
// The same where calls were only counted, for verbs that show single ones.
void say_counted(const read::Trace& trace);

}  // namespace sctrace::cli
