"""length.py BUILD WAY COMPILER: how many instructions a recorded call takes over a bare one, and how many
64-byte lines of data they touch, against the numbers below. Who makes the way longer changes them here,
and says why it is worth it. With another compiler than theirs the numbers are only shown.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

COUNTED_WITH = "GNU-12."
LINES_VARY = 2  # with where the records and the program's own data begin in a line
LONGEST = {  # call: instructions, lines; overwrite mode. One is for handlers that are not ours (live.h)
    "getppid": (176, 14),
    "close": (192, 15),
    "read 1 B": (319, 20),
    "read 4 KiB": (330, 27),  # longer than is kept: messages of netlink would be kept whole
    "write 4 KiB": (335, 27),
    "openat": (447, 22),  # a device is looked at, and a file that tells of us (own_files.h)
    "newfstatat": (442, 23),
    "writev": (642, 25),  # each buffer may be one that is dropped (SCTRACE_REDACT)
    "rt_sigprocmask": (640, 33),  # the kernel is given a copy of the set, in which our signals are not
    "futex": (356, 24),
}
# The same, with an engine that only looks on and is bare (tests/device/observe.c): its own are among them.
OBSERVED = {
    "getppid": (350, 31),
    "read 1 B": (488, 35),
    "read 4 KiB": (499, 42),
    "futex": (529, 37),
}
# And with one that looks on at entries alone.
GREETED = {
    "getppid": (318, 31),
    "read 1 B": (456, 35),
}


def ways(program, library, environment):
    done = subprocess.run([program, "count", library], env=environment, capture_output=True, text=True,
                          check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {row[0]: (int(row[1]), int(row[2])) for row in rows if len(row) == 3}


def shortest(program, library, environment):
    """Of three: a clock that ran off meanwhile, or a block that was full, makes the way longer once."""
    runs = [ways(program, library, environment) for _ in range(3)]
    return {name: tuple(min(run[name][i] for run in runs) for i in (0, 1)) for name in runs[0]}


def faults_in(counted, native, longest, compiler):
    faults = 0
    for name, (most, most_lines) in longest.items():
        instructions, lines = (counted[name][i] - native[name][i] for i in (0, 1))
        verdict = ""
        if compiler.startswith(COUNTED_WITH):
            if instructions > most or lines > most_lines + LINES_VARY:
                verdict = "LONGER than allowed"
                faults += 1
            elif instructions < most:
                verdict = "shorter: write the new number down"
        print(f"{name:12} {instructions:4} instructions of {most}, {lines:3} lines of {most_lines} {verdict}")
    return faults


def main(build, program, compiler):
    with House(build) as house:
        native = shortest(program, "-", house.environment())
        environment = house.environment(SCTRACE_MODE="overwrite", SCTRACE_OUTPUT=house.path("trace"))
        faults = faults_in(shortest(program, house.library, environment), native, LONGEST, compiler)
        for engine, longest in (("observe_bare", OBSERVED), ("observe_entry", GREETED)):
            environment["SCTRACE_ENGINE"] = os.path.join(build, "tests", "device", engine + ".so")
            print(f"with an engine that looks on ({engine}):")
            faults += faults_in(shortest(program, house.library, environment), native, longest, compiler)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
