"""run.py BUILD PROGRAM: gdb's backtrace of a thread blocked in read, natively and through both doors."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House  # noqa: E402


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def frames(program, environment):
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    child.stdout.read(1)
    while not is_asleep(child.pid):
        os.sched_yield()
    shown = subprocess.run(["gdb", "-nx", "-batch", "-p", str(child.pid), "-ex", "bt"],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    child.stdin.close()
    status = child.wait()
    lines = [line for line in shown.splitlines() if re.match(r"#\d+ ", line)]
    names = [re.sub(r"^#\d+ +(0x[0-9a-f]+ in )?", "", line).split(" (")[0] for line in lines]
    return [name for name in names if name not in ("<signal handler called>",)], status


def main(build, program):
    if not shutil.which("gdb"):
        print("no gdb here: skipped")
        return 1 if os.environ.get("CI") else 77
    faults = 0
    with House(build) as house:
        native = frames(program, house.environment(None, None))
        print("native", *native)
        faults += native[0].count("deep") != 4
        for door in DOORS:
            seen = frames(program, house.environment(door, house.path(f"trace-{door}")))
            print(door, *seen)
            faults += seen != native
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
