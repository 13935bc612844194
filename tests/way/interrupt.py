"""interrupt.py BUILD WAY COMPILER: a signal at each instruction between site and return, through both doors.
Each call must be made once, each handler must find the site and not us, and the trace must say so.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House  # noqa: E402


def counted(house, trace, name):
    rows = json.loads(house.sctrace("summary", "--json", trace).stdout)["syscalls"]
    return sum(row["calls"] for row in rows if row["name"] == name)


def shown(house, trace, name):
    lines = house.sctrace("print", "-e", f"trace={name}", "-e", "signal=none", trace).stdout.decode()
    lines = lines.splitlines()
    if "<unfinished" in "".join(lines):
        return "unfinished"  # shown to a reader, and then undone
    return sum(f"{name}(" in line for line in lines)


# An engine that only looks on: by the short way for that, at entries alone, and as engines that are not bare.
ENGINES = {"looked on at": "observe_bare.so", "looked on at first": "observe_entry.so",
           "seen by an engine": "observe.so"}
# Small blocks end in the middle of calls: what was said of them is shown.
MODES = {"stream": "stream", "small blocks": "stream", "counts": "counts"}
# Where each call is judged at its end: all stay, and none.
FILTERS = {"all are judged": "dur>=0s", "none is wanted": "dur>1000s"}


def main(build, program, _):
    faults = []
    with House(build) as house:
        for door in DOORS:
            for mode in ("overwrite", "stream", "stacks", "small blocks", "counts", *FILTERS, *ENGINES):
                trace = house.path(f"trace-{door}-{mode}")
                environment = house.environment(SCTRACE_DOORS=door, SCTRACE_OUTPUT=trace,
                                                SCTRACE_BUFFER="64K" if mode == "small blocks" else "16M",
                                                SCTRACE_MODE=MODES.get(mode, "overwrite"),
                                                SCTRACE_STACK="auto" if mode == "stacks" else "off",
                                                SCTRACE_FILTER=FILTERS.get(mode, ""))
                if mode in ENGINES:
                    environment["SCTRACE_ENGINE"] = os.path.join(build, "tests", "device", ENGINES[mode])
                done = subprocess.run([program, "interrupt", house.library], env=environment,
                                      capture_output=True, text=True)
                said = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
                where = f"{door}, {mode}"
                print(where, said)
                if done.returncode or said.get("wrong") != "0":
                    faults.append(f"{where}: status {done.returncode} {done.stdout} {done.stderr}")
                    continue
                handled = int(said["handled"])
                made = {"getuid": handled, "geteuid": handled, "writev": int(said["made writev"]),
                        "getppid": int(said["made getppid"]) + 1}
                seen = {name: (counted if mode == "counts" else shown)(house, trace, name) for name in made}
                if mode == "none is wanted":
                    made = dict.fromkeys(made, 0)
                if seen != made:
                    faults.append(f"{where}: made {made}, in the trace {seen}")
                if handled < 100:
                    faults.append(f"{where}: only {handled} signals were handled")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
