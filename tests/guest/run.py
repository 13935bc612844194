"""run.py BUILD PROGRAM [native]: a guest natively, through both doors and in further modes; output and
status compared.

known.txt (beside this file) names what can't hold: `NAME DOOR reason`. Such a case must fail, or the
line is out of date and the test fails for that. A limit of the door `auto` is one of the modes that
use it.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, differences, tree  # noqa: E402


# Beside the doors: what else changes what a call meets on its way.
MODES = {"exact": {"SCTRACE_EXACT": "1", "SCTRACE_STRSIZE": "all"},
         "overwrite": {"SCTRACE_MODE": "overwrite", "SCTRACE_STRSIZE": "all"},
         "stacks": {"SCTRACE_STACK": "auto", "SCTRACE_STACK_DEPTH": "256"}}


def known(name):
    try:
        with open(os.path.join(os.path.dirname(__file__), "known.txt")) as file:
            rows = [line.split(None, 2) for line in file if line.strip() and line[0] != "#"]
    except FileNotFoundError:
        rows = []
    return {row[1]: row[2].strip() for row in rows if row[0] == name}


def main(build, program, only=None):
    build, program = os.path.abspath(build), os.path.abspath(program)
    limits = known(os.path.basename(program))
    failed = False
    with House(build) as house:
        def outcome(door=None, trace=None):
            work = house.fresh("work")
            env = house.environment("auto" if door in MODES else door, trace, **MODES.get(door, {}))
            done = house.run([program], env, work, 60)
            done.files = tree(work)
            return done

        native = outcome()
        print(native.stdout.decode(errors="replace")[:3000], native.stderr.decode(errors="replace"))
        if native.status != 0:
            print("FAULT natively it ended with", native.status)
            failed = True
        for door in (*DOORS, *MODES) if only is None else [None] * 20:
            trace = house.path(f"trace-{door}")
            found = differences(native, outcome(door, trace))
            if door:
                found += house.trace_faults(trace)
            limit = limits.get("auto" if door in MODES else door)
            for what in found:
                print("KNOWN" if limit else "FAULT", f"{door}: {what}")
            if limit and not found:
                print(f"FAULT {door}: holds now; take it out of known.txt ({limit})")
            failed |= bool(found) != bool(limit)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
