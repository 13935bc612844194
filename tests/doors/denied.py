"""denied.py BUILD DENY PROGRAM: in a process that may not make written memory executable (PR_SET_MDWE)
every site gets its door all the same, and the program behaves as natively."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House, differences, tree  # noqa: E402


def main(build, deny, program):
    build, command = os.path.abspath(build), [os.path.abspath(deny), os.path.abspath(program)]
    faults = []
    with House(build) as house:
        def outcome(door=None, trace=None):
            work = house.fresh("work")
            done = house.run(command, house.environment(door, trace), work, 60)
            done.files = tree(work)
            return done

        native, trace = outcome(), house.path("trace")
        if native.status == 77:
            print("SKIP: this kernel has no PR_SET_MDWE")
            return 77
        faults += differences(native, outcome("auto", trace)) + house.trace_faults(trace)
        info = json.loads(subprocess.run([os.path.join(build, "sctrace"), "info", "--json", trace],
                                         capture_output=True, check=True).stdout)
        print(info["calls"], info["sites"])
        if info["sites"]["trap"]:
            faults.append(f"{info['sites']['trap']} sites have no door: {info['refusals']}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
