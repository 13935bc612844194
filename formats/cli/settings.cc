#include "formats/cli/settings.h"

namespace sctrace::cli {

namespace {

constexpr Setting all[] = {
    {"SCTRACE_OUTPUT", "sctrace-%e-%p", "", "", "", "directory of the trace",
     "%e is the program, %p the pid, %h the host, %t the time in seconds. Children and programs "
     "that are executed write into the same one. If it can't be made, $TMPDIR or /tmp is used, "
     "which is said in one line."},
    {"SCTRACE_TRACE", "all", "", "", "", "which calls are recorded",
     "As in strace's -e trace=: names, classes (%file %network %process %desc %memory %signal %ipc "
     "%creds %clock %pure %stat ...), /regular expressions/, ?names that need not exist; a ! in "
     "front: all but these. all and none are words of their own."},
    {"SCTRACE_STRSIZE", "256", "-s,--strsize", "N", "all",
     "bytes kept of each buffer, or `all` (256); also SET=N,…",
     "Structs, paths and vectors are kept whole. K, M and G may follow a number. Behind commas "
     "sizes for some calls: 256,%network=all,read=64K; the last word counts."},
    {"SCTRACE_CAPTURE", "in,out", "--capture", "WHAT", "none in out in,out",
     "pointed-to memory: none, in, out, in,out",
     "in is what the kernel is given, out what it gives back."},
    {"SCTRACE_EXACT", "0", "--exact", "0|1", "0 1",
     "the kernel works on copies, which are what is recorded (0)",
     "Then the record is what the kernel used, whatever another thread does to the buffer "
     "meanwhile. Calls that go the ordinary way are marked and counted."},
    {"SCTRACE_STACK", "off", "--stack", "HOW", "off fp unwind auto",
     "who called: off, fp, unwind, auto (off)",
     "Return addresses, and where signals came, which get their names when the trace is read "
     "(print -k, summary --by "
     "stack, "
     "export). unwind goes by the rules of .eh_frame, as exceptions do; fp follows frame pointers, "
     "for a third of that, but misses who called a function that keeps none; auto is the first "
     "where there are rules, else the second."},
    {"SCTRACE_STACK_DEPTH", "32", "--stack-depth", "N", "", "callers that are kept (32)",
     "From 1 to 512; what lies farther out is said to be there."},
    {"SCTRACE_MODE", "stream", "--mode", "MODE", "stream overwrite discard block counts",
     "stream (all), overwrite (the newest), discard, block, counts",
     "stream loses nothing and grows. overwrite is a flight recorder: it keeps the newest calls of "
     "each thread in its ring and writes no file. With discard and block only readers drain the "
     "rings (record, print --follow, top): what they don't take in time is dropped and counted, or "
     "waited for while there is such a reader. counts records no calls: of each thread and call it "
     "counts how many there were, errors, time and how it is spread (in quarters of a doubling), "
     "for summary, diff, report, top and serve; children of vfork count as their parent, an exec "
     "that "
     "succeeds does not. "
     "SCTRACE_TRACE chooses which; filters and samples have no say."},
    {"SCTRACE_BUFFER", "1M", "--buffer", "SIZE", "64K 256K 1M 4M 16M", "ring of each thread (1M)",
     "From 64K to 1G, rounded up to a power of two."},
    {"SCTRACE_FILTER", "none", "--filter", "EXPR", "",
     "keep only calls of which this is so (print --filter)",
     "An expression such as dur>1ms || errno==ENOENT. What is left out is counted. See "
     "sctrace-print(1), --filter."},
    {"SCTRACE_MIN_DURATION", "0", "--min-duration", "TIME", "",
     "keep only calls at least so slow: 10us", "A number with ns, us, ms or s."},
    {"SCTRACE_SAMPLE", "1", "--sample", "N", "", "keep one call in N of each thread (1)",
     "The others are counted."},
    {"SCTRACE_REDACT", "none", "--redact", "WHAT", "",
     "drop data, keep its length: of calls (%network), fd=N, path=GLOB",
     "Several are separated by commas. Structs, file names and the command line stay."},
    {"SCTRACE_MAX_SIZE", "none", "--max-size", "SIZE", "",
     "stop recording when the trace has this size",
     "Of all its files together. What comes after that is counted."},
    {"SCTRACE_FOLLOW", "fork,exec", "--follow", "WHAT", "fork,exec fork exec none",
     "fork,exec (both), or none",
     "What is recorded beside this process: its children, programs that it executes."},
    {"SCTRACE_COMM", "all", "--comm", "NAMES", "", "record only in programs of these names",
     "Separated by commas."},
    {"SCTRACE_DOORS", "auto", "--doors", "HOW", "auto trap stub", "auto, trap, stub",
     "How calls are met. trap rewrites no code and lets the kernel tell of each call (Syscall User "
     "Dispatch), which costs about 2 us a call; stub rewrites code and arms no dispatch, so that "
     "calls without a door are not seen; auto does both. For diagnosis."},
    {"SCTRACE_START", "on", "--start", "on|off", "on off",
     "off: record nothing until `sctrace ctl PID on` (on)",
     "While off, text, handlers and dispatch are the program's own: it runs as if sctrace were not "
     "there. See sctrace-ctl(1). With engines, injections or a control socket it is on."},
    {"SCTRACE_VDSO", "off", "--vdso", "on|off", "on off",
     "record the clock functions of the vDSO too (off)",
     "clock_gettime, clock_getres, gettimeofday, time and getcpu then become system calls."},
    {"SCTRACE_CACHE", "on", "--cache", "WHERE", "on off",
     "plans of code: on (~/.cache/sctrace), off, DIR",
     "What was proved of a file's code is kept, so that the next start need not prove it again. A "
     "DIR begins at the root."},
    {"SCTRACE_ENGINE", "none", "--engine", "LIB[=ARGS]:...", "",
     "engines to load: <sctrace/engine.h>", "See sctrace-engine(3)."},
    {"SCTRACE_INJECT", "none", "", "", "", "faults to inject",
     "strace's inject= grammar, several separated by a blank: "
     "openat:error=ENOENT:when=3+2. Beside strace's words there are prob=, seed=, fd= and path=."},
    {"SCTRACE_CONTROL", "none", "", "", "", "socket of controllers that see and answer calls",
     "The socket that sctrace-control(1) listens on. wait:PATH: the program waits at its first "
     "call until somebody listens there and has said a line."},
    {"SCTRACE_LOG", "warn", "--log", "LEVEL", "off error warn info debug",
     "off error warn info debug",
     "What the library says on the standard error output. debug:FILE writes there."},
    {"SCTRACE_DISABLE", "0", "", "", "", "1: the library does nothing at all", ""},
};

}  // namespace

std::span<const Setting> settings() { return all; }

}  // namespace sctrace::cli
