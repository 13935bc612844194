"""by_gdb.py BUILD TIMES PROGRAM...: callers as gdb's backtrace names them, in the traced program itself at calls
chosen by chance, are those that print shows of the same calls. For C++ and Rust without frame pointers, and Python."""
import json
import os
import random
import re
import shutil
import subprocess
import sys

from stacks import House, calls, frames, skip, started

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = """
import os, random, re
chance = random.Random(7)
class Shape:
    def __getattr__(self, name): return down(int(name[1:]))
    def __lt__(self, other): return down(self.deep) < 0
def ordered(deep):
    some = [Shape(), Shape()]
    for one in some: one.__dict__["deep"] = deep
    return sorted(some)
ways = [lambda deep: down(deep), ordered, lambda deep: getattr(Shape(), f"a{deep}"),
        lambda deep: list(map(down, [deep])), lambda deep: re.sub("x", lambda _: str(down(deep)), "x"),
        lambda deep: max([1, 2], key=lambda _: down(deep))]
def down(deep):
    if deep <= 0: return os.write(1, b"")
    chance.choice(ways)(deep - 1)
    return 1
for _ in range(TIMES): down(chance.randrange(6))
"""
SAID_LEAST = 0.3  # of all frames: those of stripped objects have no name in either


def plain(name):
    """Without arguments, which gdb leaves out where it knows no types, and without Rust's hashes."""
    if name is None:
        return None
    name = re.sub(r"( \[clone [^\]]*\])+$|::h[0-9a-f]{16}$", "", name)
    while (shorter := re.sub(r"\([^()]*\)|<[^<>]*>| const$", "", name)) != name:
        name = shorter
    return name.replace("{{closure}}", "{closure}").replace("::::", "::").strip(": ")


def is_same(theirs, ours):
    """DWARF has other names than symbols for what Rust implements for a type: there the last part has to do."""
    a, b = plain(theirs), plain(ours)
    return a == b or bool(a and b and ours.startswith("<") and a.rsplit("::", 1)[-1] == b.rsplit("::", 1)[-1])


def offset_of_write(program):
    libc = re.search(r"/\S*/libc\.so\S*", subprocess.run(["ldd", program], capture_output=True, text=True).stdout)
    names = subprocess.run(["nm", "-D", libc.group()], capture_output=True, text=True).stdout
    return int(re.search(r"^([0-9a-f]+) W write@", names, re.M).group(1), 16)


def asked(house, program, one_in, seed):
    trace, to = house.path("trace"), house.path("said")
    settings = {"LD_PRELOAD": house.library, "SCTRACE_OUTPUT": trace, "SCTRACE_STACK": "unwind",
                "SCTRACE_STACK_DEPTH": "200", "SCTRACE_TRACE": "write", "SCTRACE_FOLLOW": "none"}
    commands = ["set pagination off", "set confirm off", "set startup-with-shell off", "set debuginfod enabled off",
                "set backtrace past-main on",
                "handle SIGSYS nostop noprint pass", "set breakpoint pending on", f"set $one_in = {one_in}",
                f"set $seed = {seed}", f"set $offset = {offset_of_write(program[0])}", f'set $to = "{to}"',
                *(f"set environment {name} {value}" for name, value in settings.items()),
                "starti", f"source {HERE}/gdb_asks.py"]
    script = [word for command in commands for word in ("-ex", command)]
    shutil.rmtree(trace, ignore_errors=True)
    done = started(["gdb", "-nx", "-q", "-batch", *script, "--args", *program], env=house.environment(None))
    if not os.path.exists(to):
        raise AssertionError(done.stderr.decode()[-2000:])
    with open(to) as file:
        return [json.loads(line) for line in file], trace


def compare(house, name, program, one_in, seed):
    said, trace = asked(house, program, one_in, seed)
    by_thread = {}
    for event in calls(house, trace):
        shown = frames(event)
        if shown and shown[0].get("symbol", "") in ("write", "__write", "__libc_write"):
            by_thread.setdefault(event["tid"], []).append(shown[1:])
    same = known = total = 0
    faults = []
    for thread, entry, theirs in said:
        all_ours = by_thread.get(thread, [])
        ours = all_ours[entry - 1] if entry <= len(all_ours) else []
        places = [pc for pc, _ in theirs[1:]] == [int(frame["address"], 16) for frame in ours]
        # Names of libc are two and more for one place, and each has another that it likes best.
        pairs = [(their, frame.get("symbol")) for (_, their), frame in zip(theirs[1:], ours)
                 if "/libc.so" not in frame.get("object", "")]
        total += len(pairs)
        known += sum(their is not None for their, _ in pairs)
        if places and all(is_same(their, our) for their, our in pairs):
            same += 1
        else:
            shown = [(hex(pc), their) for pc, their in theirs]
            faults.append(f"{name}, call {entry} of {thread}:\n  gdb {shown}\n  we  "
                          f"{[(frame['address'], frame.get('symbol')) for frame in ours]}\n {pairs}")
    print(f"{name}: {same} of {len(said)} stacks the same, {known} of {total} frames with a name")
    if not said or known < SAID_LEAST * total:
        faults.append(f"{name}: gdb said too little")
    return faults, len(said)


def main(build, times, *programs):
    if not shutil.which("gdb"):
        skip("no gdb here")
    times, one_in, seed = int(times), 3, random.randrange(1 << 30)
    print(f"chosen by {seed}")
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    runs = [(os.path.basename(program), [program, str(times)]) for program in programs]
    faults, count = [], 0
    with House(os.path.abspath(build)) as house:
        with open(house.path("deep.py"), "w") as file:
            file.write(PYTHON.replace("TIMES", str(times)))
        runs.append(("python", [python, "-S", file.name]))
        for name, program in runs:
            wrong, said = compare(house, name, program, one_in, seed)
            faults += wrong[:3]
            count += said
    print(f"{count} stacks in all")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
