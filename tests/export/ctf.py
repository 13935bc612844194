"""ctf.py BUILD: CTF, by babeltrace2 and by lttng-analyses."""
import json

import readers
from exported import Exported, need_programs

need_programs(["babeltrace2", "lttng-syscallstats-mi"])
it = Exported()
folder = it.export("ctf", "ctf")
told = readers.ctf(it, folder)
it.tally(told.calls)
it.check("no exit without its entry", told.orphans == 0, told.orphans)
it.check("threads have names", {"worker-one", "worker-two", "worker-three", "sh", "cat"} <= told.names, told.names)
it.check("lives and signals are told", {"sched_process_fork", "sched_process_exec", "sched_process_exit",
                                        "signal_deliver", "lttng_statedump_process_state"} <= told.events, told.events)
it.check("paths are strings", {"/etc/passwd", "/nowhere/at/all"} <= told.files, told.files)
it.check("a hard name comes through", any("no utf8 \\\\xff" in one for one in told.files), told.files)
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def rows(program):
    """Tables of an analysis, as it gives them to machines."""
    said = it.said(program, folder, env=ENVIRONMENT)
    return json.loads(said)["results"] if said else []


count = {}
for table in rows("lttng-syscallstats-mi"):
    for row in table["data"]:
        if len(row) < 3 or not isinstance(row[0], dict) or row[0].get("class") != "syscall":
            continue
        call = readers.KERNEL.get(row[0]["name"], row[0]["name"])
        count[call] = count.get(call, 0) + row[1]["value"]
it.equal("lttng-syscallstats's calls", it.column("calls"), count)
KINDS = {"Read": "read readv pread64 preadv recvfrom recvmsg", "Write": "write writev pwrite64 pwritev sendto sendmsg"}
latencies = {row[0]["value"]: row for table in rows("lttng-iolatencystats-mi") for row in table["data"]}
for kind, calls in KINDS.items():
    ours = [it.syscalls[call] for call in calls.split() if call in it.syscalls]
    it.check(f"lttng-iolatencystats has {kind}", kind in latencies, latencies.keys())
    count, mean = (latencies[kind][place]["value"] for place in (1, 3)) if kind in latencies else (0, 0)
    for name, expected, found in (("calls", sum(row["calls"] for row in ours), count),
                                  ("ns", sum(row["ns_total"] for row in ours), round(count * mean))):
        it.equal(f"lttng-iolatencystats's {name}", {kind: expected}, {kind: found})
text = it.said("lttng-iousagetop", "--no-progress", folder, env=ENVIRONMENT)
it.check("files are told by name", "/etc/passwd" in text, text[:2000])
it.done()
