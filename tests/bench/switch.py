"""switch.py BUILD ROUNDS [THREADS]: what `ctl on` and `off` take in a program of many threads that make a call each
0.1 s: medians in milliseconds, as the command says them."""
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

PAUSE_US = "100000"


def main(build, rounds, threads="1000"):
    build, found = os.path.abspath(build), {}
    with House(build) as house:
        env = house.environment("auto", house.path("trace"), SCTRACE_START="off", SCTRACE_MODE="overwrite",
                                SCTRACE_BUFFER="64K")
        program = subprocess.Popen([os.path.join(build, "tests", "live", "counting"), threads, PAUSE_US], env=env,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        program.stdout.readline()
        for _ in range(int(rounds)):
            for words in (("on",), ("off",), ("on", "--sync"), ("off", "--sync")):
                said = house.sctrace("ctl", str(program.pid), *words)
                took = re.search(r" in ([0-9.]+) ms", said.stderr.decode())
                if said.returncode or not took:
                    raise AssertionError(said)
                found.setdefault(" ".join(words), []).append(float(took[1]))
                time.sleep(0.3)
        program.communicate("q\n", timeout=60)
    print(f"| {threads} threads | best, ms | median |\n|---|---:|---:|")
    for words, spent in found.items():
        print(f"| {words} | {min(spent):.1f} | {statistics.median(spent):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
