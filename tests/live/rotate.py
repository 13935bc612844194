"""rotate.py BUILD: `record --rotate` and `ctl rotate` cut a trace into parts, each a trace of its own, and no
call is in none of them or in two."""
import glob
import json
import os
import re
import subprocess
import sys

from guest import PATIENCE, Faults, House, comes

# Not more often than once a second: what comes later than that may be in the wrong part.
DD = "dd if=/dev/zero of=/dev/null bs=1 count=20000"
ONE = f"( n=0; while [ $n -lt 4 ]; do {DD}; sleep 0.7; n=$((n+1)); done )"
CASES = {"one": ONE, "three at once": f"{ONE} & {ONE} & {ONE} & wait", "one by one": f"{ONE}; {DD}; true"}


def record(house, trace, *options, program):
    return subprocess.run([house.command, "record", "-o", trace, *options, "--", "sh", "-c", program],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)


def parts_of(trace):
    """In the order in which they were made; the last is what is left in the trace itself."""
    return sorted(glob.glob(glob.escape(trace) + ".*"), key=lambda part: int(part.rsplit(".", 1)[1])) + [trace]


def reads_and_writes(house, trace):
    rows = json.loads(house.sctrace("summary", "--json", trace).stdout)["syscalls"]
    return sum(row["calls"] for row in rows if row["name"] in ("read", "write"))


def cut(house, faults, case, program):
    whole, trace = house.path("whole-" + case), house.path("cut-" + case)
    record(house, whole, program=program)
    done = record(house, trace, "--rotate", "256K", program=program)
    faults.expect(done.returncode == 0, case, done)
    parts = parts_of(trace)
    faults.expect(len(parts) > 1, case, "parts:", parts)
    for part in parts:
        checked = house.sctrace("check", part)
        faults.expect(checked.returncode == 0, case, part, checked.stdout, checked.stderr)
        faults.expect(house.info(part)["lost"] == 0, case, part, "lost")
    told, expected = sum(reads_and_writes(house, part) for part in parts), reads_and_writes(house, whole)
    faults.expect(told == expected, case, "calls in the parts:", told, "in one trace:", expected)
    # Time goes on from part to part, for each process. Where there is but one, its pid is not said.
    last = {}
    for part in parts:
        for line in house.sctrace("print", "-f", "-ttt", "-e", "read", part).stdout.splitlines():
            pid, time = re.match(rb"(?:(\d+) +)?(\d+\.\d+) ", line).groups()
            faults.expect(last.get(pid, b"") <= time, case, part, line)
            last[pid] = time


def from_outside(house, faults, *options):
    """`ctl rotate`, again and again; beside `record --rotate` too."""
    trace = house.path("outside" + "-".join(options))
    program = subprocess.Popen([house.command, "record", "-o", trace, *options, "--", "sh", "-c", ONE],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    made, said = 0, b""
    comes(lambda: glob.glob(glob.escape(trace) + "/*.ring"))
    while program.poll() is None:
        done = house.sctrace("ctl", trace, "rotate")
        said += done.stderr
        faults.expect(done.returncode == 0, done)
        made += done.returncode == 0 and b"nothing" not in done.stderr
    program.communicate()
    parts = parts_of(trace)
    faults.expect((made > 1 or options) and len(parts) > max(made, 2), "parts:", parts, said)
    for part in parts:
        checked = house.sctrace("check", part)
        faults.expect(checked.returncode == 0, part, checked.stdout, checked.stderr)
        faults.expect(house.info(part)["lost"] == 0, part, "lost")
    whole = house.path("whole-one")
    told, expected = sum(reads_and_writes(house, part) for part in parts), reads_and_writes(house, whole)
    faults.expect(told == expected, "calls in the parts:", told, "in one trace:", expected)


def kept(house, faults):
    trace = house.path("kept")
    record(house, trace, "--rotate", "256K", "--keep", "1", program=CASES["one by one"])
    parts = parts_of(trace)
    faults.expect(len(parts) == 2, "the newest and the rest:", parts)
    faults.expect(not os.path.exists(trace + ".1"), "the first is gone")


def refused(house, faults):
    for options, names in ((["--rotate", "much"], b"much"), (["--rotate", "1"], b"--rotate 1"),
                           (["--rotate", "1M", "--drain", "off"], b"--drain off")):
        done = record(house, house.path("refused"), *options, program="true")
        faults.expect(done.returncode == 2 and names in done.stderr and done.stderr.count(b"\n") == 1, options, done)
    trace = house.path("recorder")
    record(house, trace, "--mode", "overwrite", program="true")
    done = house.sctrace("ctl", trace, "rotate")
    faults.expect(done.returncode == 1 and b"flight recorder" in done.stderr, done)


def main(build):
    faults = Faults()
    with House(build) as house:
        for case, program in CASES.items():
            cut(house, faults, case, program)
        from_outside(house, faults)
        from_outside(house, faults, "--rotate", "256K")
        kept(house, faults)
        refused(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
