"""vdso.py BUILD PROGRAM: with SCTRACE_VDSO=on the clock's functions are in the trace, each with what it
gave; the program sees the same as without. Where the kernel lets nobody write there, one line says so."""
import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, differences, tree  # noqa: E402

WANTED = {"clock_gettime": 200, "gettimeofday": 100, "time": 100, "getcpu": 100, "clock_getres": 100}


def main(build, program):
    build, program = os.path.abspath(build), os.path.abspath(program)
    faults = []
    with House(build) as house:
        def outcome(door=None, trace=None):
            work = house.fresh("work")
            environment = house.environment(door, trace)
            if door:
                environment["SCTRACE_VDSO"] = "on"
            done = house.run([program], environment, work, 60)
            done.files = tree(work)
            return done

        native = outcome()
        for door in DOORS:
            trace = house.path(f"trace-{door}")
            traced = outcome(door, trace)
            if b"the vDSO's text cannot be changed" in traced.stderr:
                print("the kernel lets nobody write to the vDSO:", traced.stderr.decode())
                continue
            found = differences(native, traced) + house.trace_faults(trace)
            text = subprocess.run([os.path.join(build, "sctrace"), "print", trace],
                                  capture_output=True, check=True, text=True).stdout
            seen = collections.Counter(re.findall(r"^(\w+)\(", text, re.M))
            found += [f"{seen[name]} {name} in the trace, {count} expected"
                      for name, count in WANTED.items() if seen[name] < count]
            if not re.search(r"clock_gettime\(CLOCK_MONOTONIC, \{tv_sec=\d+, tv_nsec=\d+\}\) = 0", text):
                found.append("no result of clock_gettime in the trace")
            faults += [f"{door}: {what}" for what in found]
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
