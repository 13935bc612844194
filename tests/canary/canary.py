"""Calls into memory full of one byte: what was recorded of it is exactly what the kernel changed or
may change. canary.py BUILD PROGRAM READER. The trace is read by READER, which is not ours."""
import os
import re
import sys
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House

MARK = re.compile(r"membarrier\(cmd=0x7ca9, flags=0x([0-9a-f]+)")
ROOM = 64 * 1024
# Of these nobody knows, without calls of his own, what was changed.
UNKNOWN = {"semctl_getall": "how many semaphores a set has, only another semctl tells",
           "capget_asks": "a version is written where the call fails"}
WAYS = {"auto": {}, "trap": {}, "exact": {"SCTRACE_EXACT": "1"}}


class Case:
    def __init__(self, name, number, result):
        self.name, self.number, self.result = name, number, result
        self.allowed, self.changed = set(), {}


def told(text):
    """The program's word: mark → what was called and what became of its memory; those left out."""
    cases, out = {}, []
    for line in text.splitlines():
        words = line.split()
        if words[0] == "call":
            case = cases[int(words[1])] = Case(words[2], int(words[3]), int(words[4]))
        elif words[0] == "may":
            case.allowed.update(range(int(words[1], 16), int(words[1], 16) + int(words[2])))
        elif words[0] == "changed":
            for n, byte in enumerate(bytes.fromhex(words[2])):
                case.changed[int(words[1], 16) + n] = byte
        elif words[0] == "out":
            out.append(line)
    return cases, out


def recorded(text):
    """The trace's: mark → the call line behind it, and what is known of memory after that call."""
    calls, mark, fresh = defaultdict(lambda: ["", {}]), 0, False
    for line in text.splitlines():
        if not line.startswith("  "):
            found = MARK.search(line)
            if found:
                mark, fresh = int(found[1], 16), True
            elif fresh:
                fresh = False
                calls[mark][0] = line
            else:
                mark = 0
        elif mark and line.startswith("  out "):
            _, address, *data = line.split()  # no data where it could not be read
            for n, byte in enumerate(bytes.fromhex("".join(data))):
                calls[mark][1][int(address, 16) + n] = byte
    return calls


def spans(addresses):
    addresses = sorted(addresses)
    return f"{len(addresses)} bytes, first at {addresses[0]:#x}" if addresses else "none"


def faults_of(case, line, known):
    if not line.startswith(f"{case.number} "):
        return [f"the trace has {line!r}"]
    if not line.endswith(f"= {case.result}"):
        yield f"it gave {case.result}, the trace has {line!r}"
    if case.result < 0 and case.result in (-38, -1, -95):
        return  # not of this kernel, or not for us
    room = min(case.allowed | case.changed.keys() | {1 << 48}) & ~(ROOM - 1)
    known = {at: byte for at, byte in known.items() if at >= room}
    beyond = case.changed.keys() - case.allowed
    if beyond:
        yield f"the kernel changed what the test does not know of: {spans(beyond)}"
    missing = case.changed.keys() - known.keys()
    if missing:
        yield f"changed and not recorded: {spans(missing)}"
    other = {at for at in case.changed.keys() & known.keys() if case.changed[at] != known[at]}
    if other:
        yield f"recorded otherwise than it was: {spans(other)}"
    more = known.keys() - case.allowed
    if more:
        yield f"recorded and never the kernel's to change: {spans(more)}"


def main(build, program, reader):
    faults, count = [], 0
    with House(build) as house:
        for way, settings in WAYS.items():
            trace = house.path(way)
            door = way if way == "trap" else "auto"
            env = house.environment(door, trace, SCTRACE_STRSIZE="all", **settings)
            done = house.run([program], env, house.fresh("in"))
            cases, out = told(done.stdout.decode())
            if done.status != 0 or not done.stdout.rstrip().endswith(b"done %d" % len(cases)):
                faults.append(f"{way}: the program ended with {done.status} {done.stderr}")
            text = house.run([sys.executable, reader, trace], dict(os.environ), house.fresh("in"))
            calls = recorded(text.stdout.decode())
            print("\n".join(out) if way == "auto" else "", end="")
            count += len(cases)
            for mark, case in cases.items():
                found = [f"{way}, {case.name}: {fault}" for fault in faults_of(case, *calls[mark])]
                if case.name in UNKNOWN:
                    found = [] if found else [f"{way}, {case.name}: is known now"]
                faults += found
    print("\n".join(faults) or f"{count} calls were recorded to the byte")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*(os.path.abspath(name) for name in sys.argv[1:])))
