"""stops.py BUILD ROUNDS PROGRAM: what a stop of the device costs with lines and with frames, beside strace's. Each
round makes 2,000 calls of getppid; of the rounds the smallest median and the median of medians, in microseconds."""
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

CALLS = "2000"


def stopped(house, program, how):
    """A hub and a controller of its own: whoever served before has ended."""
    path = house.path("hub")
    hub = subprocess.Popen([house.command, "control", "-l", path], env=house.environment())
    controller = subprocess.Popen([program, path, how])
    while not os.path.exists(path):
        time.sleep(0.01)
    house.fresh("trace")
    env = house.environment("auto", house.path("trace"), SCTRACE_MODE="overwrite", SCTRACE_CONTROL="wait:" + path)
    done = subprocess.run([program, CALLS], env=env, capture_output=True, text=True, timeout=120)
    hub.terminate()
    hub.wait(), controller.wait()
    return done.stdout


def alone(house, program, *prefix):
    return subprocess.run([*prefix, program, CALLS], env=house.environment(), capture_output=True, text=True,
                          timeout=120).stdout


def main(build, rounds, program):
    found = {}
    with House(os.path.abspath(build)) as house:
        ways = {"native": lambda: alone(house, program), "lines": lambda: stopped(house, program, "lines"),
                "frames": lambda: stopped(house, program, "frames")}
        if shutil.which("strace"):
            ways["strace"] = lambda: alone(house, program, "strace", "-o", "/dev/null", "-e", "trace=getppid")
        for _ in range(int(rounds)):
            for name, way in ways.items():
                found.setdefault(name, []).append(float(way().split()[0]) / 1000)
    print("| stop of one call, us | best median | median |\n|---|---:|---:|")
    for name, medians in found.items():
        print(f"| {name} | {min(medians):.1f} | {statistics.median(medians):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
