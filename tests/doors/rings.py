"""rings.py BUILD: of the forks of a program each has a ring, and the kernel reads nothing ahead into any of
them: a fault in the file's holes would take 0.2 ms, also beyond the rings that were mapped at the start."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

FORKS = 70  # 64 are mapped at the start
SCRIPT = f"""i=0; while [ $i -lt {FORKS} ]; do (:); i=$((i+1)); done
(while read -r line; do echo "$line"; done < /proc/self/smaps)"""


def main(build):
    with House(os.path.abspath(build)) as house:
        done = house.run(["/bin/dash", "-c", SCRIPT], house.environment("auto", house.path("trace")),
                         house.fresh("work"), 60)
    rings, name = {}, ""
    for line in done.stdout.decode().splitlines():
        if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
            name = line if line.endswith(".ring") else ""
        elif name and line.startswith("VmFlags:"):
            rings[name] = line.split()
    faults = [f"read ahead: {name}" for name, flags in rings.items() if "rr" not in flags]
    if len(rings) < 2:
        faults.append(f"{len(rings)} mappings of rings: {done.stderr.decode()}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
