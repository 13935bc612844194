"""perf.py BUILD: perf.data, by perf script, report and trace."""
import collections
import re

import readers
from exported import Exported, need_programs

need_programs(["perf"])
it = Exported()
file = it.export("perf", "perf.data")

# script: every event
told = readers.perf(it, file)
it.tally(told.calls)
it.check("no exit without its entry", told.orphans == 0, told.orphans)
it.check("unfinished calls are told", told.unfinished <= sum(it.column("unfinished").values()), told.unfinished)
it.check("threads have names", {"worker-one", "worker-two", "worker-three", "sh", "cat"} <= told.names, told.names)
it.check("the signal is told", told.signals[10] == 1, told.signals)

# report: entries count, exits weigh what their calls took
text = it.said("perf", "report", "-i", file, "--stdio", "--sort", "comm,sym")
weights = {event: int(count) for event, count in
           re.findall(r"Samples: .* of event '\w+:(\w+)'\s*\n# Event count \(approx\.\): (\d+)", text)}
total = sum(it.column("ns_total").values())
it.check("report weighs calls by their time", weights.get("sys_exit") == total, (weights, total))
made = sum(it.column("calls").values()) + sum(it.column("unfinished").values())
it.check("report counts calls", weights.get("sys_enter") == made, (weights, made))
it.check("the site of a call has a symbol", re.search(r"\[\.\] \w+", text), text[:1500])

# trace -s: strace -c as perf has it; times are rounded to a µs a thread
text = it.said("perf", "trace", "-i", file, "-s") + it.stderr
count, errors, spent = collections.Counter(), collections.Counter(), collections.Counter()
threads = 0
for line in text.splitlines():
    threads += bool(re.match(r" \S.* \(\d+\), \d+ events", line))
    row = re.match(r"\s+(\w+)\s+(\d+)\s+(\d+)\s+([\d.]+)\s", line)
    if row:
        name, calls, failed, ms = row.groups()
        count[name] += int(calls)
        errors[name] += int(failed)
        spent[name] += float(ms)
it.equal("perf trace's calls", it.column("calls"), count)
it.equal("perf trace's errors", it.column("errors"), errors)
for name, ns in it.column("ns_total").items():
    it.check(f"perf trace's time of {name}", abs(spent[name] - ns / 1e6) <= 0.001 * (threads + 1), (spent[name], ns))

# trace -i: as strace would
text = it.said("perf", "trace", "-i", file) + it.stderr
it.check("perf trace shows calls", "worker-one" in text and re.search(r"access\(.*= -1 ENOENT", text), text[:1500])
text = it.said("perf", "buildid-list", "-i", file)
it.check("objects have build-ids", re.search(r"[0-9a-f]{40} .*libc\.so", text), text)
text = it.said("perf", "script", "-i", file, "--show-task-events", "--show-mmap-events")
for record in ("PERF_RECORD_FORK", "PERF_RECORD_EXIT", "PERF_RECORD_COMM exec: sh", "PERF_RECORD_MMAP2"):
    it.check(f"there are records {record}", record in text)
it.done()
