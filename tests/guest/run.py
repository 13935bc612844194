"""run.py BUILD PROGRAM [native]: a guest natively and through both doors; output and status compared.

known.txt (beside this file) names what can't hold: `NAME DOOR reason`. Such a case must fail, or the
line is out of date and the test fails for that.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, differences, tree  # noqa: E402


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
            done = house.run([program], house.environment(door, trace), work, 60)
            done.files = tree(work)
            return done

        native = outcome()
        print(native.stdout.decode(errors="replace")[:3000], native.stderr.decode(errors="replace"))
        if native.status != 0:
            print("FAULT natively it ended with", native.status)
            failed = True
        for door in DOORS if only is None else [None] * 20:
            trace = house.path(f"trace-{door}")
            found = differences(native, outcome(door, trace))
            if door:
                found += house.trace_faults(trace)
            limit = limits.get(door)
            for what in found:
                print("KNOWN" if limit else "FAULT", f"{door}: {what}")
            if limit and not found:
                print(f"FAULT {door}: holds now; take it out of known.txt ({limit})")
            failed |= bool(found) != bool(limit)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
