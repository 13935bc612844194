"""musl.py BUILD SOURCE: a program whose libc is musl is left as it is: started with our LD_PRELOAD, and by a
program that is traced.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402


def main(build, source):
    if not shutil.which("musl-gcc"):
        if os.environ.get("CI"):
            return print("no musl-gcc") or 1
        return print("no musl-gcc here") or 77
    faults = []
    with House(os.path.abspath(build)) as house:
        work = house.fresh("work")
        program = os.path.join(work, "musl")
        subprocess.run(["musl-gcc", "-O1", "-pthread", "-o", program, os.path.abspath(source)], check=True)
        for argv in ([program], ["/bin/sh", "-c", f"{program}; echo status $?"]):
            native = house.run(argv, house.environment(), work, 30)
            ours = house.run(argv, house.environment("auto", house.path("trace")), work, 30)
            print(native.stdout.decode(), native.status)
            if b"again as a child" not in native.stdout:
                faults.append(f"{argv[0]}: natively it said nothing of its child")
            # Variables are not hidden where nobody is there to hide them.
            lines = [[line for line in run.stdout.splitlines() if b"variables" not in line] for run in (native, ours)]
            if lines[0] != lines[1] or (native.stderr, native.status) != (ours.stderr, ours.status):
                faults.append(f"{argv[0]}: {ours.stdout} {ours.stderr} {ours.status}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
