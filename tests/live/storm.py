"""storm.py BUILD: recording goes on and off again and again in a program that looks at its own signals, stacks,
masks, births, children and vector registers all the time (stormy.c), with threads that block all signals; and in
one whose threads are interrupted in calls by handlers that call (hailed.c).
"""
import os
import select
import subprocess
import sys
import time

from guest import Faults, House

CYCLES = 12


def storm(house, faults, name, start, *words):
    program = os.path.join(os.path.dirname(house.library), "tests", "live", name)
    environment = house.environment("auto", house.path(f"{name}-{start}"), SCTRACE_START=start, SCTRACE_FOLLOW="none",
                                    SCTRACE_MODE="overwrite", SCTRACE_BUFFER="64K")
    child = subprocess.Popen([program], env=environment, cwd=house.root, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    for n in range(CYCLES):
        for what in ("on", "off"):
            done = house.sctrace("ctl", str(child.pid), what, *words)
            time.sleep(0.003 * (n % 5))
            faults.expect(done.returncode == 0, name, start, words, n, what, done)
            if child.poll() is not None or select.select([child.stdout], [], [], 0)[0]:
                faults.expect(False, name, start, words, n, what, child.poll(), child.stdout.readline())
                child.kill()
                return
    child.stdin.close()
    faults.expect(child.wait(60) == 0, name, start, "its own status")
    child.stdout.close()


def main(build):
    faults = Faults()
    with House(build) as house:
        storm(house, faults, "stormy", "off")
        storm(house, faults, "stormy", "on", "--sync")
        storm(house, faults, "hailed", "off")
        storm(house, faults, "hailed", "on")
    return faults.status()


sys.exit(main(sys.argv[1]))
